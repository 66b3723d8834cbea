"""`preflight emulator` as people use it: a process, what it prints, and whether what it prints works."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOREIGN = ("GOOGLE_", "PREFLIGHT_", "CLOUDSDK_", "BIGQUERY_", "GRPC_", "COLUMNS")
PROXIES = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}


def environment(**added: str) -> dict[str, str]:
    kept = {n: v for n, v in os.environ.items() if not n.startswith(FOREIGN) and n.lower() not in PROXIES}
    return kept | {"PYTHONPATH": str(ROOT)} | added


class Served:
    """A stand-in that runs, with what it printed."""

    def __init__(self, process: "subprocess.Popen[str]", printed: str) -> None:
        self.process = process
        self.printed = printed

    def end(self, number: int = signal.SIGINT) -> tuple[int, str, str]:
        """Tells it to stop; its exit code and what else it said."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err

    def section(self, start: str) -> str:
        """A paragraph of the guide, without its headline."""
        found = next(part for part in re.split(r"\n\n(?=#)", self.printed) if part.startswith(start))
        return re.sub(r"^(#.*\n)+", "", found)


@contextlib.contextmanager
def serving(*options: str, **added: str) -> Iterator[Served]:
    process = subprocess.Popen(
        [sys.executable, "-m", "preflight", "emulator", *options],
        env=environment(**added),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        first = process.stderr.readline()  # it says so only after it has printed the rest
        assert first.startswith("Serving "), first + process.stderr.read()
        os.set_blocking(process.stdout.fileno(), False)
        printed = process.stdout.read() or ""
        os.set_blocking(process.stdout.fileno(), True)
        yield Served(process, printed)
    finally:
        process.kill()
        process.communicate()


def bash(script: str, **added: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [shutil.which("bash") or "sh", "-c", script],
        env=environment(**added) | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def ready() -> Iterator[Served]:
    with serving("--world", "ready") as served:
        yield served


def test_what_it_prints_makes_run_work(ready):
    script = ready.section("# Paste this") + "\n" + ready.section("# Then check") + " --format json --no-files"
    done = bash(script)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["project"] == {"id": "acme-analytics", "number": "421700000001"}


def test_what_it_prints_makes_google_s_python_clients_work(ready):
    done = bash(ready.section("# Paste this") + "\n" + ready.section("# Google's clients for Python"))
    assert done.stdout == "Acme Analytics\n['marketing', 'finance']\n", done.stderr


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_what_it_prints_makes_curl_work(ready):
    done = bash(ready.section("# Paste this") + "\n" + ready.section("# Anything else"))
    assert json.loads(done.stdout)["projectId"] == "acme-analytics", done.stderr


def test_another_caller_s_line_makes_one_that_caller(ready):
    become = next(line for line in ready.section("# Or be").splitlines() if "ana@" in line)
    script = "\n".join((ready.section("# Paste this"), become, ready.section("# Anything else")))
    assert json.loads(bash(script).stdout)["projectId"] == "acme-analytics"
    stranger = script.replace("token-for-ana@", "token-for-nobody@")
    assert json.loads(bash(stranger).stdout)["error"]["code"] == 401


def test_json_tells_all_of_it():
    with serving("--world", "ready", "--print", "json", "--caller", "root@acme.example") as served:
        told = json.loads(served.printed)
        assert told["world"] == "ready"
        assert told["projects"] == ["acme-analytics"]
        assert told["callers"][0] == {
            "email": "root@acme.example",
            "kind": "user",
            "token": "token-for-root@acme.example",
            "expired": False,
        }
        assert told["environ"]["GOOGLE_OAUTH_ACCESS_TOKEN"] == told["callers"][0]["token"]
        assert told["environ"]["PREFLIGHT_GRPC_ENDPOINT"] == told["grpc_endpoint"]
        assert told["environ"]["BIGQUERY_EMULATOR_HOST"] == told["rest_endpoint"]
        assert Path(told["ca_file"]).read_text(encoding="utf-8").startswith("-----BEGIN CERTIFICATE-----")


def test_env_is_nothing_but_lines_to_source():
    with serving("--world", "ready", "--print", "env") as served:
        assert all(line.startswith("export ") for line in served.printed.splitlines())
        assert bash(served.printed + "\necho $PREFLIGHT_REST_ENDPOINT").stdout.startswith("http://127.0.0.1:")


def test_behind_a_proxy_it_says_how_to_go_round_it():
    with serving("--world", "ready", "--print", "env", https_proxy="http://proxy.example:3128") as served:
        assert bash(served.printed + "\necho $NO_PROXY", NO_PROXY="a.example").stdout == "a.example,127.0.0.1\n"
    with serving("--world", "ready", "--print", "env") as served:
        assert "NO_PROXY" not in served.printed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_it_stops_cleanly_and_says_so(number):
    with serving("--world", "ready", "--print", "json") as served:
        told = json.loads(served.printed)
        request = urllib.request.Request(told["rest_endpoint"] + "/v3/projects/acme-analytics")
        request.add_header("Authorization", f"Bearer {told['callers'][0]['token']}")
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200
        code, out, err = served.end(number)
        assert (code, out) == (0, "")
        assert err == "\nStopped; it had answered 1 call.\n"
        assert not Path(told["ca_file"]).parent.exists()


def test_it_takes_the_ports_and_the_latency_that_it_is_given():
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        rest, grpc = first.getsockname()[1], second.getsockname()[1]
    options = ("--port", str(rest), "--grpc-port", str(grpc), "--latency", "300", "--print", "json")
    with serving("--world", "ready", *options) as served:
        told = json.loads(served.printed)
        assert told["rest_endpoint"] == f"http://127.0.0.1:{rest}"
        assert told["grpc_endpoint"] == f"127.0.0.1:{grpc}"
        done = bash(
            "\n".join(f"export {name}={value}" for name, value in told["environ"].items())
            + '\ncurl -s -o /dev/null -w "%{time_total}" "$PREFLIGHT_REST_ENDPOINT/v3/projects/acme-analytics"'
        )
        if shutil.which("curl"):
            assert float(done.stdout) >= 0.3


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param(["--world", "ready", "--port", "TAKEN"], ["can't listen on port TAKEN"], id="port in use"),
        pytest.param(
            ["--world", "ready", "--grpc-port", "TAKEN"], ["can't listen on port TAKEN"], id="gRPC port in use"
        ),
        pytest.param(
            ["--world", "ready", "--port", "81", "--grpc-port", "81"], ["are both 81"], id="one port for both"
        ),
        pytest.param(["--world", "ready", "--port", "70000"], ["--port"], id="no such port"),
        pytest.param(["--world", "redy"], ["no world 'redy'", "Did you mean 'ready'?"], id="no such world"),
        pytest.param(
            ["--world", "ready", "--caller", "anna@acme.example"],
            ["no caller 'anna@acme.example'", "Did you mean 'ana@acme.example'?"],
            id="no such caller",
        ),
        pytest.param(["--world", "EMPTY"], ["Nobody can call"], id="nobody to be"),
        pytest.param([], ["--world"], id="no world named"),
    ],
)
def test_what_it_cannot_do_is_one_sentence(options, words, taken, tmp_path):
    (tmp_path / "empty.toml").write_text("", encoding="utf-8")
    stand_for = {"TAKEN": str(taken), "EMPTY": str(tmp_path / "empty.toml")}
    done = subprocess.run(
        [sys.executable, "-m", "preflight", "emulator", *(stand_for.get(word, word) for word in options)],
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith("Error: ")
    assert len(done.stderr.splitlines()) <= 2, done.stderr
    assert [word for word in words if word.replace("TAKEN", str(taken)) not in done.stderr] == [], done.stderr


def test_its_words_fit_a_narrow_terminal():
    with serving("--world", "ready", COLUMNS="60") as served:
        prose = [line for line in served.printed.splitlines() if line.startswith("#")]
        assert max(len(line) for line in prose) <= 60


def test_hostile_names_neither_act_on_the_terminal_nor_in_what_is_pasted(tmp_path):
    world = tmp_path / "world.toml"
    world.write_text(
        "[[callers]]\nemail = \"\\u001b[2J'; touch pwned; 'x@a.example\"\n"
        '[[projects]]\nid = "\\"); import os  # $(touch pwned)"\nnumber = "1"\n',
        encoding="utf-8",
    )
    with serving("--world", str(world)) as served:
        assert "\x1b" not in served.printed
        assert "projects/my-project" in served.printed
        told = bash(f"cd '{tmp_path}'\n{served.section('# Paste this')}\n{served.section('# Then check')} --no-files")
        assert told.returncode == 2  # no valid project ID
        assert not (tmp_path / "pwned").exists()
