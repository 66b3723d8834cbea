"""Tokens, keys and passwords everywhere a run can see them, and a server that sends them back: none is ever shown."""

import base64
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from preflight.emulator import Caller, Emulator, Fault, rest, rpc
from preflight.emulator.faults import Kind
from tests.end_to_end.conftest import command_line, whole_environ
from tests.torture.worlds import ADMIN, RUN, world

TOKEN = "ya29.a0Planted-In_the-Environment"
ISSUED = "ya29.c.b0Issued-By_the-Token_Server"
PASSWORD = "hunter2-of_the_proxy"
ACCOUNT = "auditor@acme-analytics.iam.gserviceaccount.com"
FAULTS: tuple[Kind | None, ...] = (
    None,
    *("denied", "api_disabled", "quota", "error_500", "unauthenticated_401"),
    *("reset", "truncated", "wrong_content_type", "not_json", "hang"),
)
AT_ONCE = 4


@contextmanager
def echoing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """A stand-in whose refusals, pages and rubbish hold the header that the call came with, as gateways' do."""
    callers = Caller(email=ADMIN, token=TOKEN), Caller(email=ACCOUNT, token=ISSUED, kind="service_account")
    with Emulator(world("bad").with_callers(*callers)) as emulator:
        core = emulator._core
        answer = core._status_and_body

        def echo(call: Any, *rest_of_it: Any) -> tuple[int, Any]:
            status, body = answer(call, *rest_of_it)
            if isinstance(body.get("error"), dict):
                body = json.loads(json.dumps(body))
                _confide(body["error"], call.token or TOKEN)
            return status, body

        with monkeypatch.context() as patch:
            patch.setattr(core, "_status_and_body", echo)
            patch.setattr(rest, "_HTML", f"<html>Authorization: Bearer {TOKEN}</html>".encode())
            patch.setattr(rpc, "_HTML", f"Received http2 header with status: 200, Bearer {TOKEN} {ISSUED}")
            patch.setattr(rpc, "_GARBAGE", b"\xff\xff\xff\xff" + TOKEN.encode())
            yield emulator


def _confide(error: dict[str, Any], token: str) -> None:
    header = f"Authorization: Bearer {token}"
    error["message"] = f"{error['message']} ({header})"
    for one in error.get("errors", ()):
        one["message"] = header
    for detail in error.get("details", ()):
        if "metadata" in detail:
            detail["metadata"] |= {"authorization": header, "consumer": f"projects/{token}", "permission": token}


class Told:
    """What was confided to whom, and where it must not turn up."""

    def __init__(self) -> None:
        self.secrets = {"the token": TOKEN, "the issued token": ISSUED, "the proxy's password": PASSWORD}
        self.secrets["the proxy's header"] = base64.b64encode(f"somebody:{PASSWORD}".encode()).decode()

    def add_key(self, pem: str) -> None:
        for number, line in enumerate(pem.splitlines()[1:-2]):  # each line of it is secret enough
            self.secrets[f"line {number} of the private key"] = line

    def shown_in(self, text: str) -> list[str]:
        """Which of the secrets a text holds, as they are or as addresses and JSON write them."""
        bare = text.replace("\\n", "\n")
        return [name for name, secret in self.secrets.items() if secret in bare or quote(secret, safe="") in bare]


@pytest.fixture
def told() -> Told:
    return Told()


class Said:
    """A run of the tool as a process of its own, and all that it left."""

    def __init__(self, folder: Path, *options: str, environ: dict[str, str]) -> None:
        folder.mkdir()
        command = command_line(*RUN, "--timeout", "2", "--output-dir", str(folder / "reports"), *options)
        done = subprocess.run(
            command, env=whole_environ(environ), cwd=folder, capture_output=True, text=True, timeout=60, check=False
        )
        self.code, self.err = done.returncode, done.stderr
        files = [path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()]
        self.texts = [done.stdout, done.stderr, *files]
        self.folder = folder

    def leaks(self, told: Told) -> list[str]:
        return [f"{self.folder.name}: {name}" for text in self.texts for name in told.shown_in(text)]


def test_the_search_finds_what_is_there(told: Told):
    told.add_key(private_key())
    assert told.shown_in("nothing") == []
    assert told.shown_in(f"… {TOKEN} …") == ["the token"]
    assert told.shown_in(json.dumps({"k": private_key()}))[0] == "line 0 of the private key"
    assert told.shown_in(f"http://somebody:{PASSWORD}@proxy") == ["the proxy's password"]


_KEYS: list[str] = []


def private_key() -> str:
    """A real one, in PEM; it opens nothing."""
    if not _KEYS:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        _KEYS.append(key.private_bytes(*form).decode())
    return _KEYS[0]


@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_an_access_token(
    transport: str,
    told: Told,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    everything: bool,
    record_property: Any,
):
    ways = [("json", "--debug"), ("terminal", ""), ("markdown", "--debug")][: None if everything else 2]
    proxy = f"http://somebody:{PASSWORD}@127.0.0.1:9"  # which loopback has no use for
    leaks, quiet = [], []
    # Else each transport has every other fault, so that together they have all.
    faults = FAULTS if everything else (None, *FAULTS[1 + (transport == "rest") :: 2])
    for fault in faults:
        with echoing(monkeypatch) as emulator:
            if fault:
                emulator.inject(Fault("*", fault))
            environ = emulator.environ(ADMIN) | {"HTTPS_PROXY": proxy, "HTTP_PROXY": proxy}
            options = [(f"{fault}-{form}-{extra}", "--format", form, *filter(None, (extra,)))
                       for form, extra in ways]  # fmt: skip

            def say(one: tuple[str, ...], environ: dict[str, str] = environ) -> Said:
                return Said(tmp_path / one[0], "--transport", transport, *one[1:], environ=environ)

            with ThreadPoolExecutor(AT_ONCE) as pool:
                runs = list(pool.map(say, options))
        leaks += [leak for run in runs for leak in run.leaks(told)]
        # It was talkative: a search in silence finds nothing.
        quiet += [run.folder.name for run in runs if "--debug" in run.folder.name and len(run.err.splitlines()) < 10]
        assert {run.code for run in runs} <= {1, 2, 3}
    record_property(
        f"torture: secrets over {transport}", f"{len(ways) * len(faults)} runs, {len(told.secrets)} secrets"
    )
    assert not leaks, "\n".join(leaks)
    assert not quiet


@contextmanager
def token_server(answer: str) -> Iterator[tuple[str, list[str]]]:
    """Where a service account's key gets its token: gives one, or refuses in a way that tells all."""
    assertions: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
            assertions.append(re.split(r"assertion=|&", sent)[1] if "assertion=" in sent else sent)
            if answer == "cuts":
                self.connection.close()
                return
            bodies = {
                "gives": (200, {"access_token": ISSUED, "expires_in": 3599, "token_type": "Bearer"}),
                "refuses": (400, {"error": "invalid_grant", "error_description": f"{sent} {private_key()} {TOKEN}"}),
                "fails": (500, {"error": {"message": f"{sent} {TOKEN}"}}),
            }
            status, body = bodies.get(answer, (200, {}))
            payload = json.dumps(body).encode() if answer != "babbles" else f"<html>{sent} {TOKEN}".encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/token", assertions
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("answer", ["gives", "refuses", "fails", "cuts", "babbles"])
def test_a_service_accounts_key(answer: str, told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    told.add_key(private_key())
    with echoing(monkeypatch) as emulator, token_server(answer) as (address, assertions):
        key = tmp_path / "key.json"
        key.write_text(
            json.dumps({
                "type": "service_account", "project_id": "acme-analytics", "private_key_id": "abc",
                "private_key": private_key(), "client_email": ACCOUNT, "client_id": "1", "token_uri": address,
            })
        )  # fmt: skip
        environ = emulator.environ(ADMIN) | {
            "GOOGLE_APPLICATION_CREDENTIALS": str(key),
            "GOOGLE_CLOUD_QUOTA_PROJECT": "acme-analytics",
        }
        del environ["GOOGLE_OAUTH_ACCESS_TOKEN"]
        ways = ("--debug", "--format", "json"), (), ("--debug", "--no-files")
        runs = [Said(tmp_path / f"run{at}", *options, environ=environ) for at, options in enumerate(ways)]
        asked = {exchange.caller for exchange in emulator.exchanges}
    assert assertions, "the key was used"
    told.secrets |= {f"assertion {number}": sent for number, sent in enumerate(assertions)}
    told.secrets |= {f"signature {number}": sent.rpartition(".")[2] for number, sent in enumerate(assertions)}
    assert (ACCOUNT in asked) == (answer == "gives")
    assert [leak for run in runs for leak in run.leaks(told)] == []
    assert {run.code for run in runs} <= ({1, 3} if answer == "gives" else {2})


def test_a_key_that_is_broken(told: Told, tmp_path: Path, good: Emulator):
    """The parsers of keys say what they found, and Python's show the line."""
    told.add_key(private_key())
    keys = {
        "cut": private_key()[:900],
        "no PEM": private_key().replace("-----BEGIN PRIVATE KEY-----\n", ""),
        "twice": private_key() * 2,
        "mixed": private_key().replace("\n", "\\n"),
    }
    whole = {"type": "service_account", "project_id": "p", "private_key_id": "abc", "client_email": ACCOUNT}
    whole["token_uri"] = "http://127.0.0.1:9/"
    texts = {name: json.dumps(whole | {"private_key": key}) for name, key in keys.items()}
    texts["no JSON"] = texts["twice"][:-1]
    texts["another type"] = texts["twice"].replace("service_account", private_key().splitlines()[3])
    for name, text in texts.items():
        path = tmp_path / f"{name}.json"
        path.write_text(text)
        environ = good.environ(ADMIN) | {"GOOGLE_APPLICATION_CREDENTIALS": str(path)}
        del environ["GOOGLE_OAUTH_ACCESS_TOKEN"]
        run = Said(tmp_path / name, "--debug", environ=environ)
        assert run.leaks(told) == []
        assert run.code == 2


@contextmanager
def proxy(status: str) -> Iterator[str]:
    """A proxy that wants a password, and says in its refusal which one it was given."""

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            given = self.headers.get("Proxy-Authorization", "")
            payload = f"<html>{given} {PASSWORD} http://somebody:{PASSWORD}@proxy</html>".encode()
            self.send_response(int(status[:3]), f"{status[4:]} {PASSWORD} {given}")
            self.send_header("Proxy-Authenticate", f'Basic realm="{PASSWORD}"')
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("transport", ["grpc", "rest"])
@pytest.mark.parametrize("status", ["407 Proxy Authentication Required", "403 Forbidden", "502 Bad Gateway"])
def test_a_proxys_password(status: str, transport: str, told: Told, tmp_path: Path):
    with proxy(status) as address:
        url = f"http://somebody:{PASSWORD}@{address}"
        # Google's own addresses: nothing of it leaves this machine, for the proxy lets nothing through.
        environ = {"GOOGLE_OAUTH_ACCESS_TOKEN": TOKEN, "HTTPS_PROXY": url, "https_proxy": url}
        ways = ("--debug", "--format", "json"), (), ("--debug",)
        runs = [
            Said(tmp_path / f"run{at}", "--transport", transport, *options, environ=environ)
            for at, options in enumerate(ways)
        ]
    assert [leak for run in runs for leak in run.leaks(told)] == []
    assert {run.code for run in runs} == {3}


@pytest.mark.parametrize("transport", ["grpc", "rest"])
@pytest.mark.parametrize("where", ["127.0.0.1:9", "no.such.host.invalid:3128", "[::1", "127.0.0.1:port"])
def test_a_proxy_that_is_not_there(where: str, transport: str, told: Told, tmp_path: Path):
    url = f"http://somebody:{PASSWORD}@{where}"
    environ = {"GOOGLE_OAUTH_ACCESS_TOKEN": TOKEN, "HTTPS_PROXY": url, "https_proxy": url}
    runs = [
        Said(tmp_path / f"run{at}", "--transport", transport, *options, environ=environ)
        for at, options in enumerate([("--debug", "--format", "json"), ()])
    ]
    assert [leak for run in runs for leak in run.leaks(told)] == []
    assert {run.code for run in runs} <= {2, 3}
