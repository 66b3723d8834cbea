"""Each kind of bad input as a process of its own: within 20 seconds and 200 MB, told, and never a pass by omission."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.check.repos import GOOD, changed, without, write
from tests.check.test_bad_input import AMONG, MEMBER
from tests.check.test_command import DELETED

SECONDS, MEGABYTES = 20, 200
RUN = """
import atexit, re, sys
from pathlib import Path

def peak():
    status = Path("/proc/self/status")
    if status.exists():
        sys.stderr.write("peak " + re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1])

atexit.register(peak)
from preflight.cli import main
main(sys.argv[1:])
"""
CYCLE = {
    "odd.tf": 'module "a" {\n  source = "./a"\n}\n',
    "a/main.tf": 'module "b" {\n  source = "../b"\n}\n',
    "b/main.tf": 'module "a" {\n  source = "../a"\n}\n',
}
DEPENDS = "".join(
    f'resource "google_project_iam_member" "r{n}" {{\n  project = "acme-analytics"\n  role = "roles/viewer"\n'
    f'  member = "user:u{n}@acme.example"\n  depends_on = [google_project_iam_member.r{max(n - 1, 0)}]\n}}\n'
    for n in range(1_000)
)
DOUBLING = {"odd.tf": 'module "a" {\n  source = "./m0"\n}\nmodule "b" {\n  source = "./m0"\n}\n'} | {
    f"m{n}/main.tf": f'module "a" {{\n  source = "../m{n + 1}"\n}}\nmodule "b" {{\n  source = "../m{n + 1}"\n}}\n'
    for n in range(18)
}
REPOSITORIES = {
    **{name: {"odd.tf": text} for name, (text, _) in AMONG.items() if name != "empty"},
    "modules in a circle": CYCLE,
    "modules that double": DOUBLING,
    "a chain of depends_on": {"odd.tf": DEPENDS},
    "deep JSON": {"odd.tf.json": '{"a": ' * 100_000},
    "broken JSON": {"odd.tf.json": '{"resource": {'},
    "no text": {"odd.tf": "\x00\x01ÿþ" * 1_000},
    "many broken blocks": {"odd.tf": (MEMBER + "\n") * 2_000},
    "nested brackets in a comment's place": {"odd.tf": "# preflight:ignore[" * 50_000 + "\n"},
    "deep variables": {"terraform.tfvars": "x = " + "{a=" * 100_000},
    "a broken file of variables": {"terraform.tfvars": "x = ["},
}


def bounded(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    started = time.monotonic()
    command = [sys.executable, "-c", RUN, "check", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS * 3, check=False)
    assert time.monotonic() - started < SECONDS
    said, _, peak = done.stderr.rpartition("peak ")
    assert not peak or int(peak) < MEGABYTES * 1000, "kB"
    assert "Traceback" not in said
    assert "Internal error" not in said
    return done


@pytest.mark.parametrize("name", REPOSITORIES)
def test_a_repository(repository, name):
    write(repository, {**without("iam.tf"), **REPOSITORIES[name]})
    done = bounded(repository, "--format", "json")
    assert done.returncode in {1, 3}, done
    (report,) = json.loads(done.stdout)["reports"]
    answers = {one["rule"]: one["verdict"] for one in report["findings"]}
    assert answers["vendor-role"] in {"fail", "unknown"}
    assert answers["bigquery-api-enabled"] in {"pass", "unknown"}, "the rest is judged"
    assert "PRETTY_NAME" not in done.stdout + done.stderr


def test_a_repository_with_a_link_to_itself_and_a_pipe(repository):
    import os

    write(repository, without("iam.tf"))
    (repository / "loop.tf").symlink_to(repository / "loop.tf")
    (repository / "around").symlink_to(repository)
    os.mkfifo(repository / "pipe.tf")
    assert bounded(repository).returncode == 3


def test_the_place_of_what_is_broken_has_its_column(repository):
    write(repository, {**GOOD, "odd.tf": 'locals {\n  a = 1\n  b = "x" "y"\n}\n'})
    done = bounded(repository)
    assert "Warning: odd.tf:3:7: it does not parse" in done.stderr
    assert done.returncode == 3


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"", "is empty", id="0 bytes"),
        pytest.param(b"PK\x03\x04" + b"\0" * 100, "Terraform's own format", id="binary"),
        pytest.param(b"\0" * 30_000_000, "is no text", id="NUL bytes"),
        pytest.param(DELETED.encode()[:-30], "is cut off", id="truncated"),
        pytest.param(DELETED.replace('"1.2"', '"2.0"').encode(), "of format 2.0", id="newer"),
        pytest.param(b'{"format_version":"1.2","x":' + b"[" * 100_000, "nested too deeply", id="deep"),
        pytest.param(b"[]", "no plan", id="another JSON"),
        pytest.param(None, "can't be read: No such file", id="gone"),
    ],
)
def test_a_plan(repository, content, says):
    write(repository, GOOD)
    if content is not None:
        (repository / "plan.json").write_bytes(content)
    done = bounded(repository, "--plan", "plan.json")
    assert (done.returncode, done.stdout) == (2, ""), done
    assert says in done.stderr


@pytest.mark.parametrize(
    ("files", "code", "says"),
    [
        pytest.param(
            changed("preflight.toml", "owns", "ownz"), 2, "preflight.toml:5: projects.acme-analytics: there is no key",
            id="a typo in preflight.toml",
        ),
        pytest.param(changed("preflight.toml", "[projects", "[project"), 2, "preflight.toml:1", id="of a table"),
        pytest.param({**GOOD, "preflight.toml": "[" * 100_000}, 2, "preflight.toml", id="deep TOML"),
        pytest.param({**GOOD, "preflight.toml": "\0"}, 2, "preflight.toml", id="NUL bytes in it"),
        pytest.param(
            changed("main.tf", '"EU"', '"EU"  # preflight:ignore[dataset-locatio] x'), 0,
            "main.tf:18: there is no rule 'dataset-locatio' to ignore. Did you mean 'dataset-location'?",
            id="an ignore of an unknown rule",
        ),
    ],
)  # fmt: skip
def test_the_configuration_and_comments(repository, files, code, says):
    done = bounded(write(repository, files))
    assert done.returncode == code, done
    assert says in done.stderr
