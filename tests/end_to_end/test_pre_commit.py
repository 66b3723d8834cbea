"""The hook as a team uses it: the real pre-commit, from the registry, with a clone of this project.

pre-commit makes an environment for the hook, which takes a minute: it is made once, in one repository.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.check.repos import GOOD, POLICY, changed, without

ROOT = Path(__file__).resolve().parents[2]
HOOK = "preflight-terraform"
DOCUMENT = (ROOT / "docs" / "infrastructure-repos.md").read_text(encoding="utf-8")
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hooks")


@pytest.fixture(scope="module")
def run(place: Path) -> Run:
    """Runs a program in the repository, with pre-commit on its path. Skipped where the registry can't be reached."""
    if shutil.which("git") is None:
        pytest.skip("NOT RUN: there is no git")
    home = place / "tools"
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True, timeout=120)
    pip = [str(home / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "pre-commit"]
    got = subprocess.run(pip, capture_output=True, text=True, timeout=120, check=False)
    if got.returncode:
        pytest.skip(f"NOT RUN: pre-commit can't be had from the registry: {got.stderr.strip()[-200:]}")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "TF_"))},
        "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PRE_COMMIT_HOME": str(place / "cache"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        **{f"GIT_{who}_NAME": "somebody" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_EMAIL": "somebody@acme.example" for who in ("AUTHOR", "COMMITTER")},
    }

    def run(*command: str, folder: str = "repo") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=place / folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=170,
            check=False,
        )

    return run


@pytest.fixture(scope="module")
def clone(place: Path, run: Run) -> Path:
    """This project as it is committed."""
    folder = place / "clone"
    made = run("git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(folder), folder=".")
    if made.returncode:
        pytest.skip(f"NOT RUN: this project is in no git repository: {made.stderr.strip()[-200:]}")
    return folder


@pytest.fixture(scope="module")
def repository(place: Path, run: Run, clone: Path) -> Path:
    folder = place / "repo"
    folder.mkdir()
    revision = run("git", "rev-parse", "HEAD", folder="clone").stdout.strip()
    run("git", "init", "--quiet")
    # As the document has it, but for where this project is kept.
    (configuration,) = [block for block in _blocks("yaml") if block.startswith("# .pre-commit-config.yaml\n")]
    configuration = configuration.replace("https://github.com/YOUR-ORG/preflight", str(clone))
    configuration = configuration.replace("v0.1.0", revision)
    assert "YOUR-ORG" not in configuration
    (folder / ".pre-commit-config.yaml").write_text(configuration)
    _write(folder, GOOD)
    run("git", "add", ".")
    done = run("git", "commit", "--quiet", "--no-verify", "-m", "good")
    assert done.returncode == 0, done
    installed = run("pre-commit", "install", "--install-hooks")
    assert installed.returncode == 0, installed
    return folder


def _blocks(language: str) -> list[str]:
    """The document's blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, flags=re.DOTALL | re.MULTILINE)


def _write(folder: Path, files: dict[str, str]) -> None:
    for path in folder.glob("*.t*"):
        path.unlink()
    for name, text in files.items():
        (folder / name).write_text(text)


@pytest.fixture
def committed(repository: Path, run: Run) -> Iterator[Callable[[dict[str, str]], subprocess.CompletedProcess[str]]]:
    """Tries to commit these files in place of the good ones."""

    def commit(files: dict[str, str]) -> subprocess.CompletedProcess[str]:
        _write(repository, files)
        run("git", "add", "--all", ".")
        return run("git", "commit", "--allow-empty", "-m", "change")

    yield commit
    run("git", "reset", "--quiet", "--hard", "HEAD")


def test_try_repo_runs_the_hook_from_a_clone(repository: Path, run: Run, clone: Path):
    done = run("pre-commit", "try-repo", str(clone), HOOK, "--verbose", "--all-files")
    assert done.returncode == 0, done
    assert "Passed" in done.stdout
    assert "acme-analytics" in done.stdout, "it was judged, and not just passed over"


def test_try_repo_is_red_where_it_breaks(repository: Path, run: Run, clone: Path):
    broken = changed("main.tf", '"EU"', '"US"')
    broken["main.tf"] = broken["main.tf"].replace("bigquery.googleapis.com", "pubsub.googleapis.com")
    try:
        _write(repository, {**broken, "iam.tf": "", "policy.tf": POLICY})
        done = run("pre-commit", "try-repo", str(clone), HOOK, "--all-files")
    finally:
        run("git", "reset", "--quiet", "--hard", "HEAD")
        (repository / "policy.tf").unlink(missing_ok=True)
    assert done.returncode == 1, done
    assert "Failed" in done.stdout
    assert "FAIL bigquery-api-enabled" in done.stdout
    assert "preflight.toml:5" in done.stdout


def test_the_document_works_as_written(repository: Path, run: Run):
    """Add it to your repo: the first configuration, then the two commands that try it at once."""
    commands = [line for block in _blocks("sh") for line in block.splitlines()][:2]
    assert commands == ["preflight check", f"pre-commit run {HOOK} --all-files"]
    try:
        (repository / "preflight.toml").write_text(_blocks("toml")[0])
        for command in commands:
            done = run(*command.replace("preflight check", f"{sys.executable} -m preflight check").split())
            assert done.returncode == 0, done
            assert "acme-analytics" in done.stdout or "Passed" in done.stdout
    finally:
        run("git", "reset", "--quiet", "--hard", "HEAD")


def test_a_good_commit_is_made(committed):
    done = committed({**GOOD, "README.txt": "an innocent change\n"})
    assert done.returncode == 0, done
    assert "Passed" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("files", "rule", "where"),
    [
        pytest.param(changed("main.tf", '"EU"', '"US"'), "dataset-location", "main.tf:18:3", id="the location"),
        pytest.param(
            changed("iam.tf", "roles/bigquery.user", "roles/bigquery.dataViewer"),
            "jobs-create",
            "iam.tf:5:1",
            id="role",
        ),
        pytest.param(
            changed("main.tf", "bigquery.googleapis.com", "pubsub.googleapis.com"),
            "bigquery-api-enabled",
            "preflight.toml:5",
            id="the API",
        ),
        pytest.param({**without("iam.tf"), "policy.tf": POLICY}, "vendor-role", "policy.tf:8:1", id="a policy"),
        pytest.param(without("iam.tf"), "vendor-role", "preflight.toml:5", id="iam.tf is deleted"),
    ],
)
def test_a_commit_that_breaks_the_connection_is_refused(committed, files, rule, where):
    done = committed(files)
    said = done.stdout + done.stderr
    assert done.returncode == 1, done
    assert f"FAIL {rule}" in said
    assert where in said


def test_the_manifest_is_what_pre_commit_takes(run: Run, clone: Path):
    assert run("pre-commit", "validate-manifest", ".pre-commit-hooks.yaml", folder="clone").returncode == 0
