"""What a run says on stderr beside its report: calls, what it waits for, and the one sentence about the network."""

import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path

import pytest

from preflight.cli.progress import Progress, columns_of, shortened
from preflight.emulator import Emulator, Fault, World
from tests.end_to_end.conftest import (  # noqa: F401  fixtures among them
    ADMIN,
    JSON,
    RUN,
    VENDOR,
    clean_place,
    command_line,
    preflight,
    whole_environ,
)
from tests.sources.live.test_proxy import BUNDLES, PROXIES
from tests.sources.live.token_servers import SECRETS, TARGET, Proxy, TokenServer, external, generate, rpc_error

HELD = ("--no-files", "--rule", "project-active", "--rule", "billing-enabled", "--rule", "jobs-create")


@pytest.fixture
def cloud():
    with Emulator(World.demo("ready")) as emulator:
        yield emulator


# --verbose


def test_verbose_lists_the_calls_in_the_order_in_which_they_began(preflight, cloud):  # noqa: F811
    result = preflight(*RUN, *JSON, "-v", environ=cloud.environ(ADMIN))
    assert result.code == 0
    assert result.report["verdict"] == "pass"
    lines = result.err.rstrip().splitlines()
    assert lines[0].split() == ["call", "about", "outcome", "ms", "tries"]
    rows = [line.split() for line in lines[2:]]
    assert rows[0][:3] == ["cloudresourcemanager.projects.get", "projects/acme-analytics", "ok"]
    asked = [row[0] for row in rows]
    assert asked.index("cloudresourcemanager.folders.get") > asked.index("cloudresourcemanager.projects.get")
    assert sorted(asked) == sorted(exchange.method for exchange in cloud.exchanges)
    assert all(row[-2].isdigit() and row[-1] == "1" for row in rows)
    assert cloud.token(ADMIN) not in result.err


def test_verbose_tells_of_tries_and_refusals(preflight, cloud):  # noqa: F811
    cloud.inject(Fault(method="cloudbilling.projects.getBillingInfo", kind="denied"))
    cloud.inject(Fault(method="cloudresourcemanager.projects.get", kind="unavailable_503", times=1))
    result = preflight(*RUN, *HELD, "--format", "json", "--verbose", environ=cloud.environ(ADMIN))
    rows = {line.split()[0]: line.split() for line in result.err.splitlines() if line}
    assert rows["cloudbilling.projects.getBillingInfo"][2] == "denied"
    assert rows["cloudresourcemanager.projects.get"][-1] == "2"


def test_without_it_nothing_is_said(preflight, cloud):  # noqa: F811
    assert preflight(*RUN, *JSON, environ=cloud.environ(ADMIN)).err == ""


# Impersonation from the command line


@pytest.fixture
def front(cloud):
    server = TokenServer(behind=cloud.rest_endpoint)
    yield server
    server.shutdown()
    server.server_close()


def test_the_impersonated_account_is_judged_as_the_caller(preflight, cloud, front):  # noqa: F811
    front.impersonates(VENDOR, cloud.token(VENDOR))
    environ = {**cloud.environ(ADMIN), "PREFLIGHT_REST_ENDPOINT": front.url}
    options = ("--rule", "jobs-create", "--impersonate-service-account", VENDOR, "-v")
    result = preflight(*RUN, *options, *JSON, environ=environ)
    assert result.code == 0
    finding = result.finding("jobs-create")
    assert finding["verdict"] == "pass"
    assert finding["evidence"][0]["source"] == "cloudresourcemanager.projects.testIamPermissions"
    assert "generateAccessToken" in result.err.splitlines()[2]
    assert {exchange.caller for exchange in cloud.exchanges} == {VENDOR}


def test_an_impersonation_that_fails_is_one_sentence(preflight, cloud, front):  # noqa: F811
    front.on(generate(TARGET), rpc_error(403, "PERMISSION_DENIED"), 403)
    environ = {**cloud.environ(ADMIN), "PREFLIGHT_REST_ENDPOINT": front.url}
    result = preflight(*RUN, "--impersonate-service-account", TARGET, "--debug", environ=environ)
    assert result.code == 2
    assert f"Error: {TARGET} may not be impersonated" in result.err
    assert "sesame" not in result.err
    assert cloud.token(ADMIN) not in result.err
    preflight(*RUN, "--impersonate-service-account", TARGET, environ=environ).refuses(TARGET, "add-iam-policy-binding")


def test_no_secret_of_the_credentials_is_in_any_output(cloud, front, tmp_path):
    """A sign-in, then an impersonation, with all that the tool can be made to say."""
    (tmp_path / "adc.json").write_text(json.dumps(external(front.url, {"file": str(tmp_path / "subject")})))
    (tmp_path / "subject").write_text(SECRETS["subject"])
    front.gives("POST /v1/token", SECRETS["source"])
    front.impersonates(VENDOR, cloud.token(VENDOR))
    environ = {**cloud.environ(ADMIN), "PREFLIGHT_REST_ENDPOINT": front.url, "GOOGLE_OAUTH_ACCESS_TOKEN": ""}
    environ["GOOGLE_APPLICATION_CREDENTIALS"] = str(tmp_path / "adc.json")
    for command in ((*RUN, "-v"), ("doctor",)):
        arguments = command_line(*command, "--debug", "--impersonate-service-account", VENDOR)
        done = subprocess.run(
            arguments, env=whole_environ(environ), capture_output=True, text=True, timeout=60, check=False
        )
        said = done.stdout + done.stderr + "".join(path.read_text() for path in Path("reports").glob("*"))
        assert done.returncode == (3 if command[0] == "run" else 0), done.stderr  # the account does not see it all
        assert "DEBUG" in done.stderr
        assert "generateAccessToken" in done.stderr
        for secret in (*SECRETS.values(), cloud.token(VENDOR), cloud.token(ADMIN)):
            assert secret not in said
    assert [one for one in front.requests if "oken" in one] == ["POST /v1/token", generate(VENDOR)] * 2


@pytest.mark.parametrize("email", ["", "ana@acme.example", "auditor", f"{TARGET},,{TARGET}"])
def test_a_malformed_e_mail_is_refused_before_any_call(preflight, cloud, front, email):  # noqa: F811
    environ = {**cloud.environ(ADMIN), "PREFLIGHT_REST_ENDPOINT": front.url}
    preflight(*RUN, "--impersonate-service-account", email, environ=environ).refuses("--impersonate-service-account")
    assert front.asked == []
    assert cloud.exchanges == []


# The network, told in one sentence


@pytest.fixture
def surroundings(monkeypatch):
    for name in (*PROXIES, *BUNDLES):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("transport", ["grpc", "rest"])
@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("refuses", ("the proxy refused the connection", "the proxy that HTTPS_PROXY names")),
        ("dead", ("the proxy refused the connection, or could not be reached", "the proxy that HTTPS_PROXY names")),
        ("wrong CA", ("certificate", "not trusted", "REQUESTS_CA_BUNDLE")),
        ("none", ("there is no way to Google: the connection was refused", "HTTPS_PROXY=http://HOST:PORT")),
    ],
)
def test_three_kinds_of_trouble_are_three_sentences(preflight, cloud, surroundings, transport, trouble, words):  # noqa: F811
    proxy = Proxy(cloud, refuses=trouble == "refuses")
    environ = {"GOOGLE_OAUTH_ACCESS_TOKEN": cloud.token(ADMIN)}
    if trouble == "none":
        environ |= {"PREFLIGHT_REST_ENDPOINT": "http://127.0.0.1:9", "PREFLIGHT_GRPC_ENDPOINT": "127.0.0.1:9"}
    else:
        environ["HTTPS_PROXY"] = "http://me:proxy-sesame@127.0.0.1:9" if trouble == "dead" else proxy.url
    result = preflight(*RUN, "--transport", transport, "--timeout", "2", *JSON, environ=environ)
    proxy.close()
    assert result.code == 3
    assert result.report["verdict"] == "unknown"
    sentence, hint = result.err.splitlines()
    assert sentence.startswith("No call got through")
    for word in words:
        assert word in result.err
    assert "sesame" not in result.err + result.out
    assert hint


def test_one_call_that_gets_through_is_enough_for_no_such_sentence(preflight, cloud):  # noqa: F811
    cloud.inject(Fault(method="cloudbilling.projects.getBillingInfo", kind="reset"))
    result = preflight(*RUN, "--timeout", "3", *JSON, environ=cloud.environ(ADMIN))
    assert (result.code, result.err) == (3, "")


# Progress


def on_a_terminal(cloud, columns, *arguments, **environ):
    """What a run writes to stderr where that is a terminal of so many columns; and its exit code."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    given = whole_environ({"TERM": "xterm", **cloud.environ(ADMIN), **environ})
    process = subprocess.Popen(
        command_line(*RUN, *HELD, "-q", *arguments), env=given, stdout=subprocess.DEVNULL, stderr=theirs
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # how Linux tells that the other end is closed
            break
        if not part:
            break
        said += part
    os.close(ours)
    return said.decode(), process.wait(30)


@pytest.mark.parametrize("columns", [40, 80])
def test_a_terminal_that_waits_is_told_what_for(cloud, columns):
    cloud.inject(Fault(method="cloudbilling.projects.getBillingInfo", kind="slow", delay=2.5))
    said, code = on_a_terminal(cloud, columns)
    assert code == 0
    lines = said.split("\r\x1b[K")
    assert len(lines) >= 3, "it is told again and again"
    assert (lines[0], lines[-1]) == ("", ""), "and cleared at the end"
    assert all(line.startswith("Waiting for ") and len(line) < columns for line in lines[1:-1])
    assert any("cloudbilling.projects.get" in line for line in lines)
    assert "\n" not in said


def test_a_terminal_that_waits_for_nothing_is_told_nothing(cloud):
    assert on_a_terminal(cloud, 80) == ("", 0)


@pytest.mark.parametrize("plain", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_plain_terminal_gets_plain_lines(cloud, plain):
    cloud.inject(Fault(method="cloudbilling.projects.getBillingInfo", kind="slow", delay=2.5))
    said, code = on_a_terminal(cloud, 80, **plain)
    assert code == 0
    assert re.fullmatch(r"Waiting for [^\x1b\r\n]+\r\n", said), "one line in five seconds, and no control codes"


@pytest.mark.parametrize("columns", [50, 80, 200])
def test_the_table_of_calls_fits_the_terminal(cloud, columns):
    said, code = on_a_terminal(cloud, columns, "-v")
    assert code == 0
    lines = said.replace("\r", "").splitlines()
    assert max(map(len, lines)) <= columns
    assert len(lines) >= 6
    assert {line.split()[-1] for line in lines[2:-1]} == {"1"}


def test_no_terminal_is_told_nothing(cloud):
    cloud.inject(Fault(method="cloudbilling.projects.getBillingInfo", kind="slow", delay=1.5))
    done = subprocess.run(
        command_line(*RUN, *HELD), env=whole_environ(cloud.environ(ADMIN)), capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("text", "columns", "expected"),
    [
        ("short", 10, "short"),
        ("exactly", 7, "exactly"),
        ("too long for it", 8, "too lon…"),
        ("日本語です", 6, "日本…"),
        ("anything", 1, "…"),
        ("anything", 0, ""),
    ],
)
def test_a_line_is_cut_to_the_columns_that_there_are(text, columns, expected):
    assert shortened(text, columns) == expected
    assert columns_of(expected) <= columns


def test_what_is_waited_for_cannot_act_on_the_terminal(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    with Progress() as progress:
        progress.tell("a\x1b]0;title\x07 b")
    assert "\x1b]" not in capsys.readouterr().err


def test_it_is_cleared_also_when_the_run_breaks_off(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with contextlib.suppress(KeyboardInterrupt), Progress() as progress:
        progress.tell("something")
        raise KeyboardInterrupt
    assert capsys.readouterr().err.endswith("\r\x1b[K")
