"""From what the user typed to what is to be connected; what can't be right is refused before any call."""

import re

from preflight.errors import UsageError
from preflight.facts.snapshot import Target
from preflight.profile import Profile, parse_principal

# Resource Manager's documentation of `projectId`: 6 to 30 lower-case letters, digits and hyphens, a letter first,
# no hyphen last; older projects of a domain have `domain:` before it.
_PROJECT_ID = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]"
)
_PROJECT_NUMBER = re.compile(r"[1-9][0-9]{4,18}")
_FORM = (
    "A project ID has 6 to 30 lower-case letters, digits and hyphens, starts with a letter and doesn't end in a "
    "hyphen (acme-analytics; older ones: example.com:analytics). A project number works too. "
    "List yours with: gcloud projects list"
)


def parse_project(text: str) -> str:
    """A project's ID or number as given. Raises UsageError that tells the format for anything else."""
    if _PROJECT_ID.fullmatch(text) or _PROJECT_NUMBER.fullmatch(text):
        return text
    raise UsageError(f"{text!r} is not a project ID.", _FORM)


def is_number(project: str) -> bool:
    """Whether this is a project's number rather than its ID."""
    return project.isdigit()


def parse_target(
    profile: Profile,
    project: str | None,
    principal: str | None = None,
    location: str | None = None,
    dataset: str | None = None,
) -> Target:
    """What is to be connected, from the options; without a project it is for each of many to be named.

    Raises UsageError for a malformed project or principal.
    """
    try:
        member = profile.principal if principal is None else parse_principal(principal)
    except ValueError as error:
        raise UsageError(f"--principal: {error}.") from None
    for option, value in (("--location", location), ("--dataset", dataset)):
        if value is not None and not value.strip():
            raise UsageError(f"{option} is empty.", "Give it a value, or leave the option out.")
    named = "" if project is None else parse_project(project)
    return Target(project=named, principal=member, location=location, dataset=dataset)
