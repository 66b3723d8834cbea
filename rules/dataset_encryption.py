"""The organization doesn't refuse the vendor's dataset for want of a key of its own."""

from preflight import (
    Dataset,
    Datasets,
    DatasetSettings,
    Evidence,
    Maybe,
    OrgPolicies,
    Profile,
    Project,
    Provenance,
    Remedy,
    Severity,
    Target,
    Unknown,
    Unresolved,
    Verdict,
    allows,
    dataset_page,
    failed,
    grant_on_dataset,
    hcl,
    label_of,
    org_policy_page,
    passed,
    rule,
    shell,
    skipped,
    unclear,
    unknown,
)

CONSTRAINT, BIGQUERY = "gcp.restrictNonCmekServices", "bigquery.googleapis.com"


@rule(
    title="The vendor's datasets need no key of your own, or have one",
    why="Where the organization demands customer-managed keys (CMEK) of BigQuery, a dataset that the vendor makes "
    "without one is refused.",
    severity=Severity.IMPORTANT,
    requirements=("H8",),
    since="0.1",
    after=("project-active", "bigquery-api-enabled"),
    order=84,
)
def encryption_fits(
    org_policies: Maybe[OrgPolicies],
    datasets: Maybe[Datasets],
    project: Maybe[Project],
    profile: Profile,
    target: Target,
) -> Verdict:
    """Looks whether the organization demands such keys of BigQuery. If so, the destination and the vendor's companion
    dataset have to be there, each with a key: the vendor makes its own without."""
    if isinstance(project, Project) and project.parent is None:
        return skipped("the project is in no organization, so that no organization policy acts on it")
    policy = org_policies if isinstance(org_policies, Unknown) else org_policies.of(CONSTRAINT)
    if isinstance(policy, Unknown):
        return unknown(policy.reason.describe(), policy.reason, *policy.seen())
    free = allows(policy, _is_bigquery)
    if free is None:
        what = ", ".join(unclear(policy, _is_bigquery))
        reason = Unresolved(
            f"whether {CONSTRAINT} demands a key of BigQuery hangs on what this version can't tell: {what}",
            "See in the console what the policy comes to on the project.",
        )
        return unknown(reason.describe(), reason, policy.shows())
    if free:
        return passed("no key of your own is demanded of BigQuery", policy.shows())
    if target.dataset is None:
        return failed(
            f"{CONSTRAINT} demands a key of your own of BigQuery, and the vendor makes its datasets without one",
            policy.shows(),
            remedy=(
                Remedy("Choose a name for the destination, and give it with --dataset when you run again."),
                *(_make(name, profile, target) for name in profile.dataset.companions("DATASET")),
            ),
        )
    return _with_keys(policy.shows(), datasets, profile, target, profile.dataset.companions(target.dataset))


def _with_keys(
    demanded: Evidence, datasets: Maybe[Datasets], profile: Profile, target: Target, names: tuple[str, ...]
) -> Verdict:
    keyed: list[Evidence] = []
    wanting: dict[str, Remedy] = {}
    unseen: list[Unknown] = []
    for name in names:
        found = datasets if isinstance(datasets, Unknown) else datasets.get(name)
        settings = found.settings if isinstance(found, Dataset) else found
        if settings is None:
            wanting[f"{name} is still to be made"] = _make(name, profile, target)
        elif not isinstance(settings, DatasetSettings):
            unseen.append(settings)
        elif isinstance(found, Dataset) and settings.kms_key:
            keyed.append(found.provenance.saw(f"{found.id} has the key {settings.kms_key}"))
        else:
            wanting[f"{name} has none"] = _give_key(name, target)
    if wanting:
        return failed(
            f"{CONSTRAINT} demands a key of your own of BigQuery, and {' and '.join(wanting)}",
            demanded,
            *keyed,
            remedy=tuple(wanting.values()),
        )
    if unseen:
        reason = unseen[0].reason
        return unknown(
            f"{CONSTRAINT} demands a key of your own of BigQuery, and whether {' and '.join(names)} have one could "
            f"not be read: {reason.describe()}",
            reason,
            demanded,
            *keyed,
            *(evidence for gap in unseen for evidence in gap.seen()),
        )
    return passed(f"a key is demanded, and {' and '.join(names)} have one", demanded, *keyed)


def _is_bigquery(value: str) -> bool | None:
    written = value.strip().casefold()
    return None if written.startswith("in:") else written.removeprefix("is:") == BIGQUERY


_KEY = "projects/KEY_PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY"


def _make(name: str, profile: Profile, target: Target) -> Remedy:
    """Makes the dataset, and lets the vendor write to it: it may not, where someone else made it."""
    location = target.location or "LOCATION"
    made = Dataset(provenance=Provenance("to be made", name), id=name, location=location)
    grant = grant_on_dataset(target.project, made, target.principal, profile.dataset.write_role, "")
    return Remedy(
        summary=f"Make {name} with a key of yours before you connect, and let the vendor's account write to it; "
        "BigQuery's own service account has to be allowed to use the key. Or have the project excepted from the "
        "policy.",
        commands=(
            shell(
                *("bq", f"--project_id={target.project}", f"--location={location}", "mk", "--dataset"),
                *(f"--default_kms_key={_KEY}", f"{target.project}:{name}"),
            ),
            *grant.commands,
        ),
        terraform=(
            f'resource "google_bigquery_dataset" "vendor_{label_of(name)}" {{\n'
            f"  project    = {hcl(target.project)}\n"
            f"  dataset_id = {hcl(name)}\n"
            f"  location   = {hcl(location)}\n\n"
            "  default_encryption_configuration {\n"
            f"    kms_key_name = {hcl(_KEY)}\n"
            f"  }}\n}}\n\n{grant.terraform}"
        ),
        console_url=org_policy_page(target.project, CONSTRAINT),
    )


def _give_key(name: str, target: Target) -> Remedy:
    return Remedy(
        summary=f"Give {name} a key of yours as its default; tables that are there keep what they have.",
        commands=(shell("bq", "update", "--dataset", f"--default_kms_key={_KEY}", f"{target.project}:{name}"),),
        terraform=f"default_encryption_configuration {{\n  kms_key_name = {hcl(_KEY)}\n}}",
        console_url=dataset_page(target.project, name),
    )
