"""Real policies: whom the engine and the audit find to hold `bigquery.jobs.create` is whom the raw files say."""

import ast
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from preflight import AllowPolicies, AllowPolicy, Answer, Binding, Provenance, Roles, Unknown
from preflight import Role as RoleFact
from preflight.access.audit import audit
from preflight.access.project_access import AccessFacts, ProjectAccess
from preflight.facts.catalogue import role_catalogue
from preflight.facts.seen import COMPLETE, NotCollected
from tests.access import derive_holders as derived
from tests.access.derive_holders import JOBS, Policies

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
RECORDED, PLANNED = derived.recordings(DATA), derived.asset_files(DATA)
ABSENT = f"the real policies are absent: there is no {DATA}; they stand beside the checkout as ../shared/data"
needs_data = pytest.mark.skipif(not (RECORDED and PLANNED), reason=ABSENT)
UNSEEN = Unknown(NotCollected())


def access(real: Policies, *, others_are_empty: bool) -> ProjectAccess:
    """The engine on one place's policies. Those of the ancestors are mostly not in the data: are they known to be
    empty, or not known?"""

    def policy(resource: str) -> AllowPolicy | Unknown:
        found = real.bindings.get(resource, [] if others_are_empty else None)
        if found is None:
            return UNSEEN
        bindings = tuple(Binding(binding["role"], tuple(binding["members"])) for binding in found)
        return AllowPolicy(provenance=Provenance(real.where, resource), resource=resource, bindings=bindings)

    custom: dict[str, RoleFact | Unknown] = {
        name: RoleFact(provenance=Provenance(real.where, name), name=name, permissions=held)
        for name, held in real.custom_roles.items()
    }
    return ProjectAccess(
        AccessFacts(
            project=real.project,
            number=real.number,
            allow=AllowPolicies(policies={name: policy(name) for name in real.chain}, completeness=COMPLETE),
            roles=Roles(roles=custom),
            moment=datetime(2026, 8, 22, tzinfo=UTC),
        )
    )


@needs_data
@pytest.mark.parametrize("real", [pytest.param(p, id=p.where) for p in RECORDED + PLANNED] or ["(absent)"])
def test_the_holders_are_those_in_the_raw_files(real: Policies, record_property: Callable[[str, object], None]):
    expected = derived.holders(DATA, real)
    assert real.bindings.keys() < set(real.chain)  # no file has the policies of all ancestors
    stranger = "user:nobody@elsewhere.example"
    for others_are_empty, otherwise in ((True, Answer.NOT_GRANTED), (False, Answer.UNKNOWN)):
        seen = access(real, others_are_empty=others_are_empty)
        for member in (*real.members(), stranger):
            kind, _, email = member.partition(":")
            for principal in (member, f"{kind}:{email.upper()}"):
                answer = Answer.GRANTED if member.lower() in expected else otherwise
                assert seen.decide(principal, JOBS).answer is answer, principal
        table = audit(seen, UNSEEN, UNSEEN)
        run_jobs = next(capability for capability in table.capabilities if capability.permissions == (JOBS,))
        assert {row.principal.lower() for row in table.rows} == {member.lower() for member in real.members()}
        found = {row.principal.lower() for row in table.rows if table.cell(row, run_jobs).on_project is Answer.GRANTED}
        assert found == expected
    record_property("compared real policies", 1)
    record_property("compared holders of jobs.create", len(expected))


@needs_data
def test_the_policies_are_all_there():
    # 13 of the 29 recorded projects come without a policy; most asset files are about something else.
    assert (len(RECORDED), len(PLANNED)) == (16, 29)
    assert sum(bool(real.bindings) for real in PLANNED) == 7
    assert sum(len(derived.holders(DATA, real)) for real in RECORDED) == 42
    assert sum(len(derived.holders(DATA, real)) for real in PLANNED) == 6


@needs_data
def test_the_shipped_catalogue_says_the_same_of_every_role():
    raw = derived.predefined(DATA)
    assert {name for name in raw if role_catalogue().holds(name, JOBS)} == {
        n for n, held in raw.items() if JOBS in held
    }


@needs_data
def test_the_derivation_prints_what_it_found(capsys: pytest.CaptureFixture[str]):
    derived.main(DATA)
    assert len(capsys.readouterr().out.splitlines()) == 48


def test_the_derivation_imports_nothing_of_the_product():
    tree = ast.parse(Path(derived.__file__ or "").read_text(encoding="utf-8"))
    froms = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert froms | names == {"json", "sys", "functools", "pathlib", "typing"}
