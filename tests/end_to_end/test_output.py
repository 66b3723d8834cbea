"""What goes where: stdout for the report and nothing else, stderr for the rest, exit codes for scripts."""

import json
import os
import pty
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from preflight.emulator import Caller, Fault, World
from preflight.version import __version__
from tests.end_to_end.conftest import (
    ADMIN,
    JSON,
    ROOT,
    RUN,
    VENDOR,
    Cloud,
    Preflight,
    Serve,
    command_line,
    whole_environ,
    whole_process,
)

DESTINATION = ("--location", "EU", "--dataset", "heap_production")
ALL_RULES = sorted(path.stem.replace("_", "-") for path in (ROOT / "rules").glob("[a-z]*.py"))
ON_REQUEST = "second-opinion"
SECRET = "ya29.A0-not-to-be-shown-anywhere"


@pytest.fixture(params=World.demos())
def world(request: pytest.FixtureRequest) -> str:
    """Each demo world in turn."""
    return str(request.param)


@pytest.fixture
def cloud(serve: Serve) -> Cloud:
    return serve(World.demo("ready"))


def test_json_on_stdout_is_one_valid_document_and_the_files_are_told_on_stderr(
    world: str, serve: Serve, preflight: Preflight
):
    result = preflight(*RUN, *DESTINATION, "--format", "json", environ=serve(World.demo(world)).environ())
    jsonschema.validate(result.report, json.loads(preflight("schema", "report").out))
    assert result.report["exit_code"] == result.code
    written = sorted((Path.cwd() / "reports").iterdir())
    assert sorted(path.suffix for path in written) == [".json", ".md"]
    (line,) = result.err.splitlines()
    assert all(path.name in line for path in written)
    assert json.loads(written[0].read_bytes()) == result.report


def test_markdown_on_stdout_is_the_file_that_is_written(cloud: Cloud, preflight: Preflight):
    result = preflight(*RUN, "--format", "markdown", environ=cloud.environ())
    (path,) = (Path.cwd() / "reports").glob("*.md")
    assert path.read_text(encoding="utf-8") == result.out
    assert result.out.startswith("# ") or result.out.startswith("## ")


def test_without_files_nothing_is_written_and_nothing_said_on_stderr(world: str, serve: Serve, preflight: Preflight):
    environ = serve(World.demo(world)).environ()
    for form in ("terminal", "json", "markdown"):
        result = preflight(*RUN, *DESTINATION, "--format", form, "--no-files", environ=environ)
        assert result.err == ""
        assert result.out.endswith("\n")
        assert not result.out.endswith("\n\n")
    assert list(Path.cwd().iterdir()) == []


def test_quiet_prints_nothing_and_the_exit_code_and_files_tell(world: str, serve: Serve, preflight: Preflight):
    environ = serve(World.demo(world)).environ()
    loud = preflight(*RUN, *DESTINATION, *JSON, environ=environ)
    quiet = preflight(*RUN, *DESTINATION, "-q", environ=environ)
    assert (quiet.code, quiet.out) == (loud.code, "")
    assert len(list((Path.cwd() / "reports").iterdir())) == 2
    silent = preflight(*RUN, *DESTINATION, "--quiet", "--no-files", environ=environ)
    assert silent == (loud.code, "", "")


def test_allow_unknown_turns_blindness_into_0_and_a_failure_into_nothing_better(serve: Serve, preflight: Preflight):
    codes = {"ready": (0, "pass"), "broken": (1, "fail"), "blind": (0, "unknown")}
    for name, expected in codes.items():
        environ = serve(World.demo(name)).environ()
        result = preflight(*RUN, *DESTINATION, "--allow-unknown", *JSON, environ=environ)
        assert (result.code, result.report["verdict"]) == expected
        assert result.report["exit_code"] == result.code


def test_runs_in_the_same_second_leave_each_its_own_reports(cloud: Cloud):
    processes = [
        subprocess.Popen(
            command_line(*RUN, "-q", "--output-dir", "together"),
            env=whole_environ(cloud.environ()),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    said = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    files = {path.name for path in Path("together").iterdir()}
    named = {word.rpartition("/")[2] for _, err in said for word in err.split()[1:]}
    assert files == named
    assert len(files) == 6
    for path in Path("together").glob("*.json"):
        assert json.loads(path.read_bytes())["verdict"] == "pass"


def test_runs_one_after_another_in_one_second_too(cloud: Cloud, preflight: Preflight):
    for _ in range(5):
        assert preflight(*RUN, "-q", environ=cloud.environ()).code == 0
    names = sorted(path.stem for path in Path("reports").glob("*.json"))
    assert len(names) == len(list(Path("reports").glob("*.md"))) == 5


def on_a_terminal(*arguments: str, environ: dict[str, str]) -> str:
    """What a whole process prints where stdout is a terminal."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            command_line(*arguments),
            env=whole_environ({"TERM": "xterm-256color", "COLUMNS": "100"} | environ),
            stdout=theirs,
            stderr=subprocess.PIPE,
        )
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 65536):
                shown += chunk
        except OSError:  # how Linux tells that the other end was closed
            pass
        _, err = process.communicate(timeout=30)
        assert err == b""
    finally:
        os.close(ours)
    return shown.decode()


def test_colours_are_for_terminals_that_want_them(serve: Serve):
    environ = serve(World.demo("broken")).environ()
    arguments = (*RUN, *DESTINATION, "--no-files")
    coloured = on_a_terminal(*arguments, environ=environ)
    assert "\x1b[" in coloured
    assert "\x1b" not in on_a_terminal(*arguments, environ=environ | {"NO_COLOR": "1"})
    assert "\x1b" not in on_a_terminal(*arguments, environ=environ | {"TERM": "dumb"})
    piped = whole_process(*arguments, environ=environ)
    assert "\x1b" not in piped.out
    # Without its colours it is the same text, whatever the moment of the run and the width.
    bare = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert "NOT READY" in bare
    assert re.findall(r"^FAIL  (\S+)", bare, re.MULTILINE) == re.findall(r"^FAIL  (\S+)", piped.out, re.MULTILINE)


def test_json_on_a_terminal_has_no_colours(cloud: Cloud):
    assert json.loads(on_a_terminal(*RUN, *JSON, environ=cloud.environ()))["verdict"] == "pass"


def test_version_and_help(preflight: Preflight):
    assert preflight("--version") == (0, f"preflight {__version__}\n", "")
    shown = preflight("--help")
    assert (shown.code, shown.err) == (0, "")
    for word in ("run", "demo", "rules", "profiles", "permissions", "schema", "Examples:", "Exit codes of run:"):
        assert word in shown.out
    assert preflight("-h").out == shown.out
    for command in ("run", "demo", "rules", "profiles", "permissions", "schema"):
        shown = preflight(command, "--help")
        assert (shown.code, shown.err) == (0, "")
        assert shown.out.startswith(f"Usage: preflight {command}")


def test_the_options_of_the_contract_are_there(preflight: Preflight):
    shown = preflight("run", "--help").out
    for option in (
        *("--project", "--profile", "--principal", "--location", "--dataset", "--rule", "--skip", "--timeout"),
        *("--format", "--output-dir", "--no-files", "--allow-unknown", "--quota-project"),
    ):
        assert option in shown


def test_the_commands_that_need_no_cloud(preflight: Preflight):
    listed = re.findall(r"^([a-z]+-[a-z-]+) ", preflight("rules", "list").out, re.MULTILINE)
    assert sorted(listed) == ALL_RULES
    assert (listed[0], listed[-1]) == ("project-active", "auditor-access"), "what others rest on is first"
    for rule in ALL_RULES:
        assert rule in preflight("rules", "show", rule).out
    assert "heap" in preflight("profiles", "list").out
    assert 'name = "heap"' in preflight("profiles", "show", "heap").out
    assert "resourcemanager.projects.get" in preflight("permissions").out


def test_a_selection_runs_just_that(cloud: Cloud, preflight: Preflight):
    only = preflight(*RUN, "--rule", "billing-enabled", "--rule", "vendor-role", *JSON, environ=cloud.environ())
    assert only.verdicts == {"billing-enabled": "pass", "vendor-role": "pass"}
    without = preflight(*RUN, "--skip", "billing-enabled", *JSON, environ=cloud.environ())
    assert "billing-enabled" not in without.verdicts
    assert sorted([*without.verdicts, "billing-enabled", ON_REQUEST]) == ALL_RULES


@pytest.mark.parametrize(
    "arguments",
    [(*RUN, *DESTINATION, "--format", "json"), ("permissions",), ("schema", "report"), ("rules", "list"), ("--help",)],
)
def test_a_reader_that_goes_away_is_no_trouble(arguments: tuple[str, ...], serve: Serve):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            command_line(*arguments),
            env=whole_environ(serve(World.demo("broken")).environ()),
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writing)
    assert "Traceback" not in done.stderr
    assert "Broken" not in done.stderr
    if arguments[0] == "run":  # who doesn't read on gets the verdict all the same: by code and file
        assert done.returncode == 1
        assert len(list(Path("reports").iterdir())) == 2
    else:
        assert (done.returncode, done.stderr) == (0, "")


def test_an_interrupt_ends_a_run_at_once_with_130(cloud: Cloud):
    cloud.emulator.inject(Fault("*", "hang"))
    process = subprocess.Popen(
        command_line(*RUN, *DESTINATION, "--timeout", "60"),
        env=whole_environ(cloud.environ()),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    ends = time.monotonic() + 20
    while len(cloud.emulator.exchanges) < 4 and time.monotonic() < ends:
        time.sleep(0.02)
    interrupted = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    assert time.monotonic() - interrupted < 3
    assert (out, err.strip()) == ("", "Interrupted.")
    assert not Path("reports").exists()


def test_a_process_ends_with_its_timeout_although_calls_still_hang(cloud: Cloud):
    cloud.emulator.inject(Fault("*", "drip"), Fault("*", "hang", transport="grpc"))
    begun = time.monotonic()
    done = whole_process(*RUN, *DESTINATION, "--timeout", "2", *JSON, environ=cloud.environ())
    assert time.monotonic() - begun < 2 + 3
    assert (done.code, done.err) == (3, "")


@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_a_token_is_never_shown(transport: str, serve: Serve):
    world = World.demo("blind").with_callers(Caller(email=ADMIN, token=SECRET))
    cloud = serve(world)
    arguments = ("run", "--project", "acme-analytics", "--transport", transport, "--format", "json", "--debug")
    faults: tuple[Any, ...] = (None, "unavailable_503", "reset", "wrong_content_type", "unauthenticated_401")
    for fault in faults:
        if fault:
            cloud.emulator.inject(Fault("*", fault))
        done = whole_process(*arguments, "--timeout", "1", environ=cloud.environ())
        assert SECRET not in done.out + done.err
        assert "cloudresourcemanager.projects.get" in done.err, "with --debug the calls are told"
        cloud.emulator.clear_faults()
    assert list(Path("reports").iterdir())
    for path in Path("reports").iterdir():
        assert SECRET not in path.read_text(encoding="utf-8")


def test_debug_changes_no_exit_code(cloud: Cloud):
    refused = whole_process("run", "--project", "Not An ID", "--debug", environ=cloud.environ())
    assert (refused.code, refused.out) == (2, "")
    assert "Traceback" in refused.err
    assert "is not a project ID" in refused.err.splitlines()[-2]
    judged = whole_process(*RUN, *DESTINATION, *JSON, "--debug", environ=cloud.environ())
    assert judged.code == 0
    assert judged.report["verdict"] == "pass"


def test_a_name_that_would_act_on_the_terminal_is_shown_harmless(cloud: Cloud, preflight: Preflight):
    evil = "heap\x1b[2J\n| FAIL | <b>"
    result = preflight(*RUN, "--dataset", evil, environ=cloud.environ())
    assert result.code == 1
    (path,) = Path("reports").glob("*.md")
    for text in (result.out, path.read_text(encoding="utf-8")):
        assert "\x1b" not in text
        assert "\n| FAIL | <b>" not in text
    (document,) = Path("reports").glob("*.json")
    (finding,) = [one for one in json.loads(document.read_bytes())["findings"] if one["rule"] == "dataset-name"]
    assert evil in finding["message"]
    refused = preflight("run", "--project", "\x1b[2Jacme", environ=cloud.environ())
    assert "\x1b" not in refused.err


def test_the_report_names_what_was_judged(cloud: Cloud, preflight: Preflight):
    result = preflight(*RUN, "--principal", VENDOR.upper(), *JSON, environ=cloud.environ())
    report = result.report
    assert report["schema_version"] == "1.0"
    assert report["tool"] == {"name": "preflight", "version": __version__}
    assert report["profile"]["name"] == "heap"
    assert report["source"]["kind"] == "live"
    assert report["principal"].casefold() == f"serviceAccount:{VENDOR}".casefold()
    assert result.verdicts["vendor-role"] == "pass"  # e-mails compare without case
    assert sum(report["summary"].values()) == len(report["findings"]) == len(ALL_RULES) - 1


def test_a_run_of_some_rules_calls_no_project_ready(serve, preflight):
    cloud = serve(World.demo("ready"))
    one = preflight(*RUN, "--rule", "project-active", "--format", "json", environ=cloud.environ())
    assert (one.code, one.report["verdict"]) == (0, "pass")
    assert "billing-enabled" in one.report["unasked"]
    told = preflight(*RUN, "--rule", "project-active", environ=cloud.environ())
    assert "OK, AS FAR AS ASKED" in told.out
    assert "READY" not in told.out
    minor = preflight(*RUN, "--skip", "dataset-public", "--format", "json", environ=cloud.environ())
    assert minor.report["unasked"] == []
