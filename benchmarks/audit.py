"""The audit of a policy as large as Google allows, and of a project of very many datasets: CPU seconds after import.

python -m benchmarks.audit            the figures
python -m benchmarks.audit --profile  and where the time goes
"""

import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from preflight.access.audit import Audit, audit
from preflight.access.project_access import AccessFacts, ProjectAccess
from preflight.facts.catalogue import role_catalogue
from preflight.facts.dataset import AccessEntry, Dataset, Datasets
from preflight.facts.deny import AttachedDenyPolicies, DenyPolicies, DenyPolicy, DenyRule
from preflight.facts.organization import Organization, Tags
from preflight.facts.policy import AllowPolicies, AllowPolicy, Binding, Condition, Role, Roles
from preflight.facts.seen import Provenance, Unknown

BINDINGS, CUSTOM_ROLES, DATASETS = 1500, 250, 100
BOUND = 1.0
"""CPU seconds."""
MANY_DATASETS = 10_000
MANY_BOUND = 20.0
"""CPU seconds: they must not take minutes."""
SEEN = Provenance("benchmark", "projects/acme-analytics", datetime(2026, 1, 2, tzinfo=UTC))
_ASKED = [
    *("bigquery.jobs.create", "bigquery.datasets.create", "bigquery.tables.getData", "bigquery.tables.updateData"),
    *("bigquery.datasets.update", "bigquery.datasets.setIamPolicy", "resourcemanager.projects.setIamPolicy"),
]


def large(count: int = DATASETS) -> tuple[ProjectAccess, Datasets, Organization]:
    """A project with a policy of 1,500 bindings, 250 custom roles, datasets, a deny rule and conditions. Beside what
    BigQuery puts into each dataset's list, each names somebody; where they are many, a group of its own too."""
    chance = random.Random(5)  # noqa: S311  the same each time
    custom: dict[str, Role | Unknown] = {
        name: Role(provenance=SEEN, name=name, permissions=frozenset(chance.sample(_ASKED, chance.randint(0, 3))))
        for name in (f"projects/acme-analytics/roles/role{n}" for n in range(CUSTOM_ROLES))
    }
    predefined = [*(f"roles/bigquery.{name}" for name in ("user", "dataViewer", "dataEditor", "jobUser")),
                  "roles/viewer", "roles/editor", "roles/owner", "roles/storage.admin"]  # fmt: skip
    chosen = [*custom, *predefined]
    policy = AllowPolicy(provenance=SEEN, resource="projects/acme-analytics", bindings=tuple(_bindings(chance, chosen)))
    entries = (AccessEntry(role="OWNER", special_group="projectOwners"),
               AccessEntry(role="WRITER", special_group="projectWriters"),
               AccessEntry(role="READER", special_group="projectReaders"))  # fmt: skip
    datasets = [
        Dataset(
            provenance=SEEN,
            id=f"dataset_{n}",
            location="EU",
            access=(*entries, AccessEntry(role="READER", user=f"user{chance.randrange(900)}@acme.example"), *more),
        )
        for n in range(count)
        for more in [(AccessEntry(role="WRITER", group=f"writers{n}@acme.example"),) if count > DATASETS else ()]
    ]
    rule = DenyRule(
        ("principalSet://goog/public:all",),
        ("bigquery.googleapis.com/datasets.update",),
        tuple(f"principal://goog/subject/user{n}@acme.example" for n in range(20)),
    )
    denied: dict[str, DenyPolicy | Unknown] = {"d": DenyPolicy(provenance=SEEN, name="d", rules=(rule,))}
    attached = AttachedDenyPolicies(provenance=SEEN, resource="projects/acme-analytics", policies=denied)
    facts = AccessFacts(
        project="acme-analytics",
        number="421700000001",
        allow=AllowPolicies(policies={"projects/acme-analytics": policy}),
        roles=Roles(roles=custom),
        deny=DenyPolicies(attached={"projects/acme-analytics": attached}),
        tags=Tags(provenance=SEEN, tags={}),
        moment=datetime(2026, 1, 2, tzinfo=UTC),
    )
    acme = Organization(provenance=SEEN, name="organizations/1", domain="acme.example", directory_customer_id="C0")
    return ProjectAccess(facts), Datasets.of(*datasets), acme


def _bindings(chance: random.Random, roles: list[str]) -> Iterator[Binding]:
    for n in range(BINDINGS):
        member = chance.choices(
            [
                f"user:user{n % 900}@acme.example",
                f"serviceAccount:robot{n}@project{n % 40}-analytics.iam.gserviceaccount.com",
                f"group:group{n % 250}@acme.example",
                f"deleted:user:gone{n}@acme.example?uid={n}",
            ],
            weights=[60, 24, 15, 1],
        )[0]
        condition = None
        if chance.random() < 0.1:
            condition = Condition(f"request.time < timestamp('20{chance.randint(20, 60)}-01-01T00:00:00Z')")
        yield Binding(chance.choice(roles), (member,), condition)


def seconds(count: int = DATASETS) -> tuple[float, Audit]:
    """The CPU time of one audit, with nothing remembered but the catalogue and the loaded library of conditions."""
    role_catalogue()
    access, datasets, organization = large(count)
    start = time.process_time()
    made = audit(ProjectAccess(access.facts), datasets, organization)
    return time.process_time() - start, made


def main() -> None:
    """Prints the figures; exits 1 if one is over its bound."""
    import cel_expr_python  # noqa: F401  "after import"

    held = True
    for count, bound in ((DATASETS, BOUND), (MANY_DATASETS, MANY_BOUND)):
        spent, made = seconds(count)
        held &= spent <= bound
        print(
            f"audit of {BINDINGS} bindings, {CUSTOM_ROLES} custom roles, {count} datasets ({len(made.rows)} rows): "
            f"{spent:.2f} s of CPU (at most {bound:.2f})"
        )
    if "--profile" in sys.argv[1:]:
        import cProfile
        import pstats

        with cProfile.Profile() as profile:
            seconds()
        pstats.Stats(profile).sort_stats("cumulative").print_stats(30)
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
