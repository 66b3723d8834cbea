"""What goes wrong around a run: each time a clear sentence, the documented exit code, and nothing half written."""

import socket
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from preflight.emulator import Caller, Fault, World
from preflight.emulator.faults import REFUSALS, WIRE
from preflight.engine import load_rules
from preflight.rulebook import select
from tests.end_to_end.conftest import (
    ADMIN,
    JSON,
    RUN,
    VENDOR,
    Cloud,
    Preflight,
    Result,
    Serve,
    says_one_sentence,
    whole_process,
)

DESTINATION = ("--location", "EU", "--dataset", "heap_production")
SLACK = 3.0


def destination_exists() -> World:
    """The ready world, in which the destination is there and the vendor's account may write to it."""
    world = World.demo("ready")
    (project,) = world.projects
    made = replace(
        project.datasets[0],
        id="heap_production",
        access=({"role": "OWNER", "specialGroup": "projectOwners"}, {"role": "OWNER", "userByEmail": VENDOR}),
    )
    return replace(world, projects=(replace(project, datasets=(*project.datasets, made)),))


@pytest.fixture
def cloud(serve: Serve) -> Cloud:
    """A stand-in of its own for each test: what a slow one answers late is in no other's record."""
    return serve(destination_exists())


def nothing_written() -> bool:
    return list(Path.cwd().iterdir()) == []


# Credentials


def test_without_credentials(preflight: Preflight, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")  # nor a gcloud that would tell some
    preflight(*RUN).refuses("credentials", "gcloud auth application-default login")
    assert nothing_written()


def test_credentials_in_a_file_that_is_not_there(preflight: Preflight):
    result = preflight(*RUN, environ={"GOOGLE_APPLICATION_CREDENTIALS": "/nowhere/key.json"})
    result.refuses("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
    assert nothing_written()


@pytest.mark.parametrize("transport", ["grpc", "rest"])
@pytest.mark.parametrize("project", ["acme-analytics", "421700000001"])
def test_a_token_that_is_refused_everywhere(project: str, transport: str, cloud: Cloud, preflight: Preflight):
    environ = cloud.environ() | {"GOOGLE_OAUTH_ACCESS_TOKEN": "ya29.expired-long-ago"}
    result = preflight("run", "--project", project, "--transport", transport, environ=environ)
    result.refuses("did not accept the credentials", "gcloud auth application-default login")
    assert "ya29" not in result.err
    assert cloud.methods
    assert nothing_written()


def test_an_expired_token(serve: Serve, preflight: Preflight):
    world = World.demo("ready").with_callers(Caller(email=ADMIN, expired=True))
    preflight(*RUN, environ=serve(world).environ()).refuses("expired")
    assert nothing_written()


def test_something_that_is_no_token(cloud: Cloud, preflight: Preflight):
    result = preflight(*RUN, environ=cloud.environ() | {"GOOGLE_OAUTH_ACCESS_TOKEN": "two words"})
    result.refuses("GOOGLE_OAUTH_ACCESS_TOKEN")
    assert "two words" not in result.err


# The project


@pytest.mark.parametrize(
    "project",
    ["Acme", "acme", "acme analytics", "-acme-analytics", "acme-analytics-", "1acme-analytics", "a" * 31,
     "projects/acme", "acme_analytics", "../acme-analytics", "acme-analytics\n", "ácme-analytics", "",
     "exa mple.com:legacy", "12", "٣٠٠٠٠٠"],
)  # fmt: skip
def test_a_malformed_project_is_refused_before_any_call(project: str, cloud: Cloud, preflight: Preflight):
    preflight("run", "--project", project, environ=cloud.environ()).refuses("is not a project ID", "lower-case letters")
    assert cloud.emulator.exchanges == []
    assert nothing_written()


@pytest.mark.parametrize("project", ["acme-analytics-2", "example.com:legacy", "999999999999"])
def test_a_project_that_is_not_visible_is_unknown_and_says_so(project: str, cloud: Cloud, preflight: Preflight):
    result = preflight("run", "--project", project, *JSON, environ=cloud.environ())
    assert (result.code, result.err) == (3, "")
    finding = result.finding("project-active")
    assert finding["verdict"] == "unknown"
    assert "does not exist, or the caller may not see it" in finding["message"]
    assert "pass" not in {v for rule, v in result.verdicts.items() if rule != "dataset-name"}


def test_a_deleted_project_fails_and_the_rest_waits_for_it(serve: Serve, preflight: Preflight):
    world = World.demo("ready")
    gone = replace(world.projects[0], state="DELETE_REQUESTED", delete_time="2026-01-01T00:00:00Z")
    result = preflight(*RUN, *JSON, environ=serve(replace(world, projects=(gone,))).environ())
    assert (result.code, result.err) == (1, "")
    assert result.verdicts.pop("project-active") == "fail"
    for finding in result.report["findings"][1:]:
        assert finding["rule"] == "project-active" or finding["verdict"] == "skip", finding
    because = {finding["because"] for finding in result.report["findings"] if finding["verdict"] == "skip"}
    assert because == {"project-active"}


@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_a_number_is_resolved_and_the_id_is_told(transport: str, cloud: Cloud, preflight: Preflight):
    options = ("--project", "421700000001", "--transport", transport)
    result = preflight("run", *options, *JSON, environ=cloud.environ())
    assert result.code == 0
    assert result.report["project"] == {"id": "acme-analytics", "number": "421700000001"}
    shown = preflight("run", *options, environ=cloud.environ())
    assert "acme-analytics" in shown.out
    assert all(path.name.startswith("acme-analytics-") for path in (Path.cwd() / "reports").iterdir())


# Names and options


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((*RUN, "--rule", "billing-enabeld"), ("'billing-enabeld'", "'billing-enabled'")),
        ((*RUN, "--skip", "vendor_role"), ("'vendor_role'", "'vendor-role'")),
        ((*RUN, "--profile", "heep"), ("'heep'", "'heap'")),
        ((*RUN, "--format", "jsn"), ("'jsn'", "'json'")),
        (("rnu",), ("'rnu'", "'run'")),
        (("rules", "show", "jobs-creat"), ("'jobs-creat'", "'jobs-create'")),
        (("profiles", "show", "heapp"), ("'heapp'", "'heap'")),
        (("rules", "lst"), ("lst",)),
        (("run", "--project"), ("--project",)),
        (("run",), ("--project",)),
        ((*RUN, "--nonsense"), ("--nonsense",)),
        ((*RUN, "--timeout", "0"), ("--timeout",)),
        ((*RUN, "--timeout", "soon"), ("--timeout",)),
        ((*RUN, "--transport", "pigeon"), ("--transport",)),
        ((*RUN, "--principal", "group:all@acme.example"), ("--principal", "group:all@acme.example")),
        ((*RUN, "--principal", ""), ("--principal",)),
        ((*RUN, "--location", " "), ("--location",)),
        ((*RUN, "--dataset", ""), ("--dataset",)),
        ((*RUN, "--rules-dir", "nowhere"), ("nowhere",)),
        ((*RUN, "--rule", "dataset-name", "--skip", "dataset-name"), ("--skip",)),
        ((*RUN, "surplus"), ("surplus",)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_cant_be_right_is_refused_before_any_call(
    arguments: tuple[str, ...], words: tuple[str, ...], cloud: Cloud, preflight: Preflight
):
    preflight(*arguments, environ=cloud.environ()).refuses(*words)
    assert cloud.emulator.exchanges == []
    assert nothing_written()


def profile_with(change: tuple[str, str]) -> str:
    """The Heap profile's text with one change."""
    text = whole_process("profiles", "show", "heap").out
    assert change[0] in text
    return text.replace(*change, 1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('name = "heap"', 'name = "heap'), ("mine.toml", "line 2")),
        (('name = "heap"', 'name = "heap"\nname = "heap"'), ("mine.toml", "line 3")),
        (("minimum_roles", "minimum_rolse"), ("mine.toml", "grant", "minimum_rolse", "minimum_roles")),
        (('status = "confirm"', 'status = "confrm"'), ("mine.toml", "locations", "status", "confrm")),
        (('apis = ["bigquery.googleapis.com"]', "apis = 3"), ("mine.toml", "apis")),
        (('email = "support@heap.io"', ""), ("mine.toml", "support", "email")),
        (('principal = "serviceAccount:', 'principal = "group:'), ("mine.toml", "principal", "group:")),
    ],
    ids=["syntax", "twice", "unknown key", "unknown word", "type", "missing key", "principal"],
)
def test_a_broken_profile_is_refused_with_file_and_key(
    change: tuple[str, str], words: tuple[str, ...], cloud: Cloud, preflight: Preflight
):
    Path("mine.toml").write_text(profile_with(change), encoding="utf-8")
    for arguments in ((*RUN, "--profile", "mine.toml"), ("profiles", "show", "mine.toml")):
        preflight(*arguments, environ=cloud.environ()).refuses(*words)
    assert cloud.emulator.exchanges == []


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"], ids=["missing", "no text"])
def test_a_profile_that_cant_be_read(content: bytes | None, preflight: Preflight):
    if content is not None:
        Path("mine.toml").write_bytes(content)
    preflight(*RUN, "--profile", "mine.toml").refuses("mine.toml")


@pytest.mark.parametrize(
    "text",
    ["x = (", "1 / 0", "", "from preflight import NoSuchThing", "import sys; sys.exit(3)"],
    ids=["syntax", "raises", "no rule", "bad import", "exits"],
)
def test_a_broken_rule_file_is_refused_by_its_name(text: str, cloud: Cloud, preflight: Preflight, tmp_path: Path):
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "mine.py").write_text(text, encoding="utf-8")
    preflight(*RUN, "--rules-dir", str(folder), environ=cloud.environ()).refuses("mine.py")
    assert cloud.emulator.exchanges == []


RAISES = '''"""A rule with a defect."""

from preflight import Severity, Target, Verdict, rule


@rule(title="Nothing holds", why="To see what comes of it.", severity=Severity.RECOMMENDED, since="0.1")
def nothing(target: Target) -> Verdict:
    """Raises."""
    raise RuntimeError(target.project)
'''


def test_a_rule_that_raises_is_an_internal_error_and_the_others_still_report(
    cloud: Cloud, preflight: Preflight, tmp_path: Path
):
    (tmp_path / "raises").mkdir()
    (tmp_path / "raises" / "nothing_holds.py").write_text(RAISES, encoding="utf-8")
    result = preflight(*RUN, "--rules-dir", str(tmp_path / "raises"), *DESTINATION, *JSON, environ=cloud.environ())
    assert result.code == result.report["exit_code"] == 4
    assert result.finding("nothing-holds")["reason"]["kind"] == "internal"
    assert result.verdicts.pop("vendor-role") == "pass"
    assert len(result.verdicts) == 1 + len(select(load_rules(), ()))
    assert "Traceback" not in result.out + result.err


def test_a_rule_that_ends_the_process_does_not_choose_the_exit_code(cloud: Cloud, preflight: Preflight, tmp_path: Path):
    text = RAISES.replace("raise RuntimeError(target.project)", "raise SystemExit(0)")
    (tmp_path / "exits").mkdir()
    (tmp_path / "exits" / "nothing_at_all.py").write_text(text, encoding="utf-8")
    result = preflight(*RUN, "--rules-dir", str(tmp_path / "exits"), *JSON, environ=cloud.environ())
    assert result.code == 4
    assert "Traceback" not in result.err


# Output


def test_a_file_where_the_folder_should_be_is_told_after_the_verdict(cloud: Cloud, preflight: Preflight):
    Path("taken").write_text("mine", encoding="utf-8")
    result = preflight(*RUN, *DESTINATION, "--output-dir", "taken", environ=cloud.environ())
    assert result.code == 2
    assert "READY" in result.out
    says_one_sentence(result.err, "taken", "--output-dir")
    assert Path("taken").read_text(encoding="utf-8") == "mine"
    assert [path.name for path in Path.cwd().iterdir()] == ["taken"]


def test_a_full_disk_is_told_after_the_verdict(cloud: Cloud, preflight: Preflight):
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here to stand for a full disk")
    result = preflight(*RUN, "--format", "json", "--output-dir", "/dev/full", environ=cloud.environ())
    assert result.code == 2
    assert result.report["verdict"] == "pass"
    says_one_sentence(result.err, "/dev/full")


# The network


@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_a_refused_connection_leaves_everything_unknown(transport: str, cloud: Cloud, preflight: Preflight):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    environ = cloud.environ() | {
        "PREFLIGHT_REST_ENDPOINT": f"http://127.0.0.1:{port}",
        "PREFLIGHT_GRPC_ENDPOINT": f"127.0.0.1:{port}",
    }
    result, seconds = timed(
        preflight, *RUN, *DESTINATION, "--transport", transport, "--timeout", "2", *JSON, environ=environ
    )
    assert result.code == 3
    assert_at_most_a_hint(result.err)
    assert seconds < 2 + SLACK
    assert {rule for rule, verdict in result.verdicts.items() if verdict == "pass"} == {"dataset-name"}
    reasons = {finding["reason"]["kind"] for finding in result.report["findings"] if finding["reason"]}
    assert reasons <= {"unavailable", "timeout"}


def assert_at_most_a_hint(err: str) -> None:
    """The report says what went wrong; stderr may add what to look into, in a sentence or two."""
    assert len(err.splitlines()) <= 2, err
    assert "Traceback" not in err


def timed(preflight: Preflight, *arguments: str, environ: dict[str, str]) -> tuple[Result, float]:
    begun = time.monotonic()
    result = preflight(*arguments, environ=environ)
    return result, time.monotonic() - begun


# For each method, the rules that can't be told once it fails in the world above.
SPOILS = {
    "cloudresourcemanager.projects.get": {"project-active"},
    "cloudresourcemanager.projects.getIamPolicy": {"vendor-role", "jobs-create"},
    "bigquery.datasets.list": {"dataset-writable"},
    "bigquery.datasets.get": {"dataset-writable"},
}
KINDS = {
    "denied": "denied",
    "api_disabled": "api_disabled",
    "not_found": "not_found",
    "quota": "quota",
    "error_500": "unavailable",
    "unavailable_503": "unavailable",
    "slow": "timeout",
    "hang": "timeout",
    "reset": "unavailable",
    "truncated": "malformed",
    "wrong_content_type": "malformed",
    "not_json": "malformed",
    "drip": "timeout",
    "vpc_service_controls": "vpc_service_controls",
}
"""Each fault, and the kind of reason that it is."""
TRIED_AGAIN = {"quota", "error_500", "unavailable_503", "reset", "truncated"}
CALLS = [
    ("cloudresourcemanager.projects.get", "grpc"),
    ("cloudresourcemanager.projects.get", "rest"),
    ("bigquery.datasets.get", "rest"),
    ("bigquery.datasets.list", "rest"),
]


def test_every_kind_of_fault_is_tried():
    assert KINDS.keys() | {"endless_pages"} >= (REFUSALS | WIRE) - {"unauthenticated_401", "user_project_denied"}


@pytest.mark.parametrize(("method", "transport"), CALLS, ids=lambda value: value)
@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_never_lets_a_rule_pass_unseen(
    kind: Any, method: str, transport: str, cloud: Cloud, preflight: Preflight
):
    cloud.emulator.inject(Fault(method, kind, delay=30.0))
    arguments = (*RUN, *DESTINATION, "--transport", transport, "--timeout", "2", *JSON)
    result, seconds = timed(preflight, *arguments, environ=cloud.environ())
    assert seconds < 2 + SLACK
    assert_at_most_a_hint(result.err)
    judged_on_what_was_seen(result, cloud)
    verdicts = result.verdicts
    for rule in SPOILS[method]:
        assert verdicts[rule] != "pass", f"{rule} passes although {method} failed"
    expected = {"denied" if method.startswith("cloudresourcemanager.") and kind == "not_found" else KINDS[kind]}
    if kind in TRIED_AGAIN:
        expected.add("timeout")  # the end may come while an answer is awaited
    assert expected & told_reasons(result), f"{kind} is told as {told_reasons(result)}"


def told_reasons(result: Result) -> set[str]:
    """The kinds of reasons in the findings; auditor-access, which gathers them all, tells its own in words."""
    told = {finding["reason"]["kind"] for finding in result.report["findings"] if finding["reason"]}
    seen = " ".join(evidence["detail"] for evidence in result.finding("auditor-access")["evidence"])
    words = {"denied": "access denied: ", "api_disabled": " is not enabled", "unavailable": "could not be reached"}
    return told | {kind for kind, phrase in words.items() if phrase in seen}


def judged_on_what_was_seen(result: Result, cloud: Cloud) -> None:
    """Whatever passes rests on answers that were given in full; the exit code follows from the verdicts."""
    whole = {
        exchange.method
        for exchange in cloud.emulator.exchanges
        if exchange.status == 200 and not set(exchange.fault) - {"slow"}
    }
    required = set()
    for finding in result.report["findings"]:
        if finding["severity"] == "required":
            required.add(finding["verdict"])
        if finding["verdict"] != "pass":
            continue
        assert finding["evidence"], finding
        # What was not seen and is taken for absent is told beside the rest, as that.
        seen = [evidence for evidence in finding["evidence"] if not evidence["detail"].endswith("none is assumed")]
        assert seen, finding
        sources = {evidence["source"] for evidence in seen}
        assert sources <= whole | {"option", "preflight"}, finding
    code = 1 if "fail" in required else 3 if "unknown" in required else 0
    assert result.code == result.report["exit_code"] == code
    assert "Traceback" not in result.out + result.err


@pytest.mark.parametrize("method", ["cloudresourcemanager.projects.getIamPolicy", "*"])
@pytest.mark.parametrize("kind", ["denied", "error_500", "truncated", "hang"])
@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_a_fault_of_the_policy_or_of_everything(
    transport: str, kind: Any, method: str, cloud: Cloud, preflight: Preflight
):
    cloud.emulator.inject(Fault(method, kind))
    arguments = (*RUN, *DESTINATION, "--transport", transport, "--timeout", "2", *JSON)
    result, seconds = timed(preflight, *arguments, environ=cloud.environ())
    assert seconds < 2 + SLACK
    assert result.code == 3
    assert_at_most_a_hint(result.err)
    judged_on_what_was_seen(result, cloud)
    assert result.verdicts["vendor-role"] == result.verdicts["jobs-create"] == "unknown"
    if method == "*":
        assert {rule for rule, verdict in result.verdicts.items() if verdict == "pass"} == {"dataset-name"}


def test_pages_without_end_end(cloud: Cloud, preflight: Preflight):
    cloud.emulator.inject(Fault("bigquery.datasets.list", "endless_pages"))
    result, seconds = timed(preflight, *RUN, *DESTINATION, "--timeout", "3", *JSON, environ=cloud.environ())
    assert seconds < 3 + SLACK
    judged_on_what_was_seen(result, cloud)
    assert result.code == 3
    assert result.verdicts["dataset-writable"] == "unknown"  # whether its companion exists was not told


def test_an_answer_that_is_only_slow_is_waited_for(cloud: Cloud, preflight: Preflight):
    cloud.emulator.inject(Fault("*", "slow", delay=0.3))
    result = preflight(*RUN, *DESTINATION, "--timeout", "20", *JSON, environ=cloud.environ())
    assert (result.code, result.report["verdict"]) == (0, "pass")


@pytest.mark.parametrize("kind", ["quota", "error_500", "unavailable_503", "reset"])
@pytest.mark.parametrize(("method", "transport"), CALLS, ids=lambda value: value)
def test_a_fault_that_clears_after_two_tries_is_overcome(
    method: str, transport: str, kind: Any, cloud: Cloud, preflight: Preflight
):
    cloud.emulator.inject(Fault(method, kind, times=2))
    result = preflight(*RUN, *DESTINATION, "--transport", transport, "--timeout", "20", *JSON, environ=cloud.environ())
    assert (result.code, result.report["verdict"]) == (0, "pass"), result
    hit = [exchange for exchange in cloud.emulator.exchanges if exchange.fault]
    assert len(hit) == 2


# The project that pays


def test_an_api_that_is_off_in_the_quota_project_is_named_as_such(serve: Serve, preflight: Preflight):
    world = World.demo("ready")
    (project,) = world.projects
    payer = replace(
        project, id="acme-payer", number="421700000002", services=("serviceusage.googleapis.com",), datasets=()
    )
    cloud = serve(replace(world, projects=(project, payer)))
    result = preflight(*RUN, "--quota-project", "acme-payer", *JSON, environ=cloud.environ())
    assert result.code == 3
    commands = [c for remedy in result.finding("auditor-access")["remedies"] for c in remedy["commands"]]
    assert any("cloudresourcemanager.googleapis.com" in c and "421700000002" in c for c in commands), commands
    assert result.verdicts["bigquery-api-enabled"] == "pass"
    assert "quota project" in result.finding("project-active")["message"]


def test_a_quota_project_that_may_not_be_used_is_named_as_such(cloud: Cloud, preflight: Preflight):
    result = preflight(*RUN, "--quota-project", "somebody-elses", *JSON, environ=cloud.environ())
    assert result.code == 3
    assert "quota project" in result.finding("project-active")["message"]
    assert "serviceusage.services.use" in result.out
    assert "somebody-elses" in result.out
