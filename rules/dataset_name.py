"""The dataset's name is one that BigQuery accepts, and that leaves room for the vendor's own."""

import re

from preflight import (
    Evidence,
    Profile,
    Remedy,
    Severity,
    Target,
    Verdict,
    failed,
    passed,
    rule,
    skipped,
    warned,
)

# BigQuery's documentation ("Name datasets"): letters, digits, underscores; up to 1,024 characters.
_VALID = re.compile(r"[A-Za-z0-9_]{1,1024}")


@rule(
    title="The dataset's name is valid",
    why="BigQuery refuses other names, and a name that ends like the vendor's companion dataset is taken for it.",
    severity=Severity.REQUIRED,
    requirements=("H5", "H8"),
    since="0.1",
    order=60,
)
def name_is_valid(profile: Profile, target: Target) -> Verdict:
    """Looks at the name given with --dataset; needs nothing from Google."""
    name = target.dataset
    if name is None:
        return skipped(f"no --dataset given; the vendor's default is {profile.dataset.default_name}")
    given = Evidence("option", "--dataset", None, name)
    if not _VALID.fullmatch(name):
        return failed(
            f"'{name}' is not a name that BigQuery accepts: letters, digits and underscores only, up to 1,024",
            given,
            remedy=Remedy(summary=f"Choose another name, such as {_suggestion(name, profile)}, and tell the vendor."),
        )
    ending = next((suffix for suffix in profile.dataset.companion_suffixes if name.endswith(suffix)), None)
    if ending:
        return warned(
            f"{name} ends in {ending}, the ending of the dataset that the vendor keeps beside its own",
            given,
            remedy=Remedy(
                summary=f"Name the dataset itself, {name.removesuffix(ending) or 'without that ending'}; "
                f"the vendor makes the one with {ending}."
            ),
        )
    return passed(f"{name} is a valid name", given)


def _suggestion(name: str, profile: Profile) -> str:
    valid = re.sub(r"[^A-Za-z0-9_]+", "_", name)[:100]
    for suffix in profile.dataset.companion_suffixes:
        valid = valid.removesuffix(suffix)
    return valid.strip("_") or "vendor_production"
