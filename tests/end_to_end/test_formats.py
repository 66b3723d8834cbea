"""`--report FORMAT=FILE` and the formats of CI services, as a job meets them."""

import json
import re
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from sarif_kit.validate import validation_errors

from preflight.emulator import World
from preflight.renderers import Format
from tests.end_to_end.conftest import (
    RUN,
    Cloud,
    Preflight,
    Serve,
    command_line,
    says_one_sentence,
    whole_environ,
    whole_process,
)
from tests.renderers.test_github import commands
from tests.renderers.test_gitlab import SCHEMA as GITLAB
from tests.renderers.test_junit import SCHEMA as JUNIT

DESTINATION = ("--location", "EU", "--dataset", "heap_production")
ALL = ("--report", "sarif=out.sarif", "--report", "junit=deep/er/out.xml", "--report", "gitlab=gl.json")
WRITTEN = (Path("out.sarif"), Path("deep/er/out.xml"), Path("gl.json"))


@pytest.fixture(params=World.demos())
def world(request: pytest.FixtureRequest) -> str:
    """Each demo world in turn."""
    return str(request.param)


@pytest.fixture
def cloud(serve: Serve) -> Cloud:
    return serve(World.demo("broken"))


@pytest.fixture
def export() -> Path:
    """A Cloud Asset export of two projects, one of which is being deleted."""
    lines = [
        {
            "name": f"//cloudresourcemanager.googleapis.com/projects/{number}",
            "assetType": "cloudresourcemanager.googleapis.com/Project",
            "resource": {"data": {"projectId": project, "projectNumber": number, "lifecycleState": state}},
            "ancestors": [f"projects/{number}"],
        }
        for project, number, state in (("acme-one", "11111", "ACTIVE"), ("acme-two", "22222", "DELETE_REQUESTED"))
    ]
    path = Path("export.jsonl")
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def sarif() -> dict[str, Any]:
    log = json.loads(WRITTEN[0].read_bytes())
    assert validation_errors(log) == []
    (run,) = log["runs"]
    return dict(run)


def suites() -> list[ET.Element]:
    text = WRITTEN[1].read_text(encoding="utf-8")
    JUNIT.validate(text)
    return list(ET.fromstring(text))


def issues() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(WRITTEN[2].read_bytes())
    jsonschema.validate(found, GITLAB)
    return found


def test_several_at_once_say_the_same(world: str, serve: Serve, preflight: Preflight):
    environ = serve(World.demo(world)).environ()
    result = preflight(
        *RUN, *DESTINATION, *ALL, "--report", "json=r.json", "--no-files", *("--format", "github"), environ=environ
    )
    told = commands(result.out)
    verdicts = {f["rule"]: f["verdict"] for f in json.loads(Path("r.json").read_bytes())["findings"]}
    wanted = {rule for rule, verdict in verdicts.items() if verdict in {"fail", "unknown", "warn"}}
    kinds = {"fail": "fail", "warn": "fail", "unknown": "review", "skip": "notApplicable", "pass": "pass"}

    assert {c.properties["title"].split()[1] for c in told[:-1]} == wanted
    run = sarif()
    assert {r["ruleId"]: r["kind"] for r in run["results"]} == {rule: kinds[v] for rule, v in verdicts.items()}
    assert run["invocations"][0]["exitCode"] == result.code
    assert all(rule["help"]["text"].startswith("Why. ") for rule in run["tool"]["driver"]["rules"])
    (suite,) = suites()
    assert {case.get("name") for case in suite.findall("testcase")} == set(verdicts)
    assert {issue["check_name"] for issue in issues()} == wanted
    assert result.err == "Reports: out.sarif deep/er/out.xml gl.json r.json\n"
    assert not Path("reports").exists()


# The terminal's text is as wide as the terminal.
@pytest.mark.parametrize("form", [form for form in Format if form is not Format.TERMINAL])
def test_stdout_and_a_named_file_are_the_same(form: Format, cloud: Cloud, preflight: Preflight):
    named = ("--report", f"{form.value}=named", "--format", form.value, "--no-files")
    result = preflight(*RUN, "--skip", "auditor-access", *named, environ=cloud.environ())
    assert result.code == 1
    assert Path("named").read_text(encoding="utf-8") == result.out


def test_named_files_come_beside_the_others_and_quiet_keeps_them(cloud: Cloud, preflight: Preflight):
    result = preflight(*RUN, *ALL, "-q", environ=cloud.environ())
    assert (result.code, result.out) == (1, "")
    assert sorted(path.suffix for path in Path("reports").iterdir()) == [".json", ".md"]
    (line,) = result.err.splitlines()
    named = [Path(word) for word in line.split()[1:]]
    assert set(named) == {*WRITTEN, *Path("reports").iterdir()}
    assert all(path.exists() for path in named)


def test_fingerprints_stay_from_run_to_run(cloud: Cloud, preflight: Preflight):
    def prints() -> dict[str, str]:
        preflight(*RUN, *DESTINATION, *ALL, "-q", "--no-files", environ=cloud.environ())
        of_sarif = {r["ruleId"]: r["partialFingerprints"]["preflight/v1"] for r in sarif()["results"]}
        assert {i["check_name"]: i["fingerprint"] for i in issues()}.items() <= of_sarif.items()
        return of_sarif

    assert prints() == prints()


def test_github_gets_its_page_and_what_was_on_it_stays(cloud: Cloud, preflight: Preflight):
    page = Path("page.md")
    page.write_text("Of another step.\n", encoding="utf-8")
    environ = {**cloud.environ(), "GITHUB_STEP_SUMMARY": str(page)}
    result = preflight(*RUN, *DESTINATION, "--format", "github", "--no-files", environ=environ)
    assert (result.code, result.err) == (1, "")
    text = page.read_text(encoding="utf-8")
    assert text.startswith("Of another step.\n## NOT READY: `acme-analytics`")
    assert commands(result.out)[-1].data.startswith("NOT READY")
    # Another format doesn't write to it.
    preflight(*RUN, *DESTINATION, "--format", "json", "--no-files", environ=environ)
    assert page.read_text(encoding="utf-8") == text
    # By name it is another file, which grows as the page would.
    for times in (1, 2):
        preflight(*RUN, *DESTINATION, "-q", "--no-files", "--report", "github-summary=own.md", environ=environ)
        assert Path("own.md").read_text(encoding="utf-8").count("## NOT READY") == times
    assert page.read_text(encoding="utf-8") == text


def test_a_page_that_cannot_be_written_changes_no_verdict(cloud: Cloud, preflight: Preflight):
    environ = {**cloud.environ(), "GITHUB_STEP_SUMMARY": str(Path.cwd())}
    result = preflight(*RUN, "--format", "github", "--no-files", environ=environ)
    assert result.code == 1
    assert commands(result.out)
    (line,) = result.err.splitlines()
    assert line.startswith("Warning: ")
    assert "it is a folder" in line


def test_a_fleet_in_all_formats(export: Path, preflight: Preflight):
    environ = {"GITHUB_STEP_SUMMARY": "page.md"}
    fleet = ("run", "--assets", str(export), *DESTINATION)
    result = preflight(*fleet, *ALL, "--format", "github", "--report", "json=r.json", environ=environ)
    assert result.code == 1
    told = commands(result.out)
    assert [c.name for c in told] == ["error", "error", "notice"]
    assert told[0].properties["title"].startswith("acme-two: project-active")
    assert "| FAIL | `acme-two` |" in Path("page.md").read_text(encoding="utf-8")

    document = json.loads(Path("r.json").read_bytes())
    findings = {(r["project"]["id"], f["rule"]): f["verdict"] for r in document["reports"] for f in r["findings"]}
    run = sarif()
    assert {(r["properties"]["project"], r["ruleId"]) for r in run["results"]} == set(findings)
    assert run["invocations"][0]["exitCode"] == 1
    assert [suite.get("name") for suite in suites()] == ["acme-one", "acme-two"]
    assert len(issues()) == sum(verdict in {"fail", "unknown", "warn"} for verdict in findings.values())
    (line,) = result.err.splitlines()
    assert len(line.split()) == 1 + 2 + 4
    assert {path.suffix for path in Path("reports").iterdir()} == {".json", ".md"}


def test_lines_of_an_export_are_places(export: Path, preflight: Preflight):
    preflight("run", "--assets", str(export), "--rule", "project-active", "-q", "--no-files", *ALL)
    places = {
        result["properties"]["project"]: result["locations"][0]["physicalLocation"] for result in sarif()["results"]
    }
    assert places["acme-one"]["region"]["startLine"] == 1
    assert places["acme-two"]["region"]["startLine"] == 2
    assert places["acme-two"]["artifactLocation"]["uri"] == "export.jsonl"
    (issue,) = issues()
    assert issue["location"] == {"path": "export.jsonl", "lines": {"begin": 2}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sarf=out", ("no format 'sarf'", "Did you mean 'sarif'?")),
        ("sarif", ("names no file", "FORMAT=FILE")),
        ("sarif=", ("names no file",)),
        ("=out", ("no format ''",)),
        ("sarif=-", ("--format sarif",)),
        ("sarif=here/../sarif=out", ()),
        ("\x1b[2J=out", ("no format",)),
    ],
)
def test_what_is_no_format_and_file_is_told_before_anything_is_asked(text, words, cloud: Cloud, preflight: Preflight):
    result = preflight(*RUN, "--report", text, "--no-files", environ=cloud.environ())
    if not words:
        assert Path("sarif=out").exists(), "only the first = parts the two"
        return
    result.refuses(*words)
    assert "\x1b" not in result.err
    assert cloud.methods == set()
    assert list(Path.cwd().iterdir()) == []


def test_two_reports_in_one_file_are_refused(cloud: Cloud, preflight: Preflight):
    Path("link").symlink_to("out")
    named = ("--report", "sarif=out", "--report", "junit=link")
    preflight(*RUN, *named, environ=cloud.environ()).refuses("the same file 'link'")
    assert cloud.methods == set()


def test_what_is_read_is_not_replaced(export: Path, preflight: Preflight):
    before = export.read_bytes()
    named = ("--report", f"json=../here/{export}")
    preflight("run", "--assets", str(export), *named, "--no-files").refuses("is read by this run")
    assert export.read_bytes() == before


@pytest.mark.parametrize("place", [".", "file/deep", "/proc/nowhere/out"])
def test_a_file_that_cannot_be_written_is_told_before_anything_is_asked(place, cloud: Cloud, preflight: Preflight):
    Path("file").write_text("", encoding="utf-8")
    result = preflight(*RUN, "--report", "sarif=first", "--report", f"junit={place}", environ=cloud.environ())
    result.refuses("cannot be written to", "--report")
    assert cloud.methods == set()
    assert [path.name for path in Path.cwd().iterdir()] == ["file"]


def test_a_run_that_comes_to_nothing_leaves_no_file(cloud: Cloud, preflight: Preflight, export: Path):
    preflight(*RUN, "--rule", "nonsense", *ALL, environ=cloud.environ()).refuses("nonsense")
    export.write_text("no export", encoding="utf-8")
    says_one_sentence(preflight("run", "--assets", str(export), *ALL).err, "export.jsonl")
    assert not [path for path in Path.cwd().rglob("*") if path.is_file() and path.name != export.name]


def test_a_full_disk_is_told_after_the_verdict(cloud: Cloud, preflight: Preflight):
    result = preflight(*RUN, "--report", "sarif=/dev/full", "--report", "junit=out.xml", environ=cloud.environ())
    assert result.code == 2
    assert "NOT READY" in result.out
    assert "no space is left" in result.err
    assert len(list(Path("reports").iterdir())) == 2, "what can be written is"
    assert not Path("out.xml").exists(), "the named ones are written together"


def test_hostile_names_are_harmless_in_each_format(cloud: Cloud, preflight: Preflight):
    evil = "x\n::error::forged %0A::error::forged ]]></failure> {0} [a](http://evil.example) \x1b[2J"
    result = preflight(*RUN, "--dataset", evil, *ALL, "--format", "github", "--no-files", environ=cloud.environ())
    assert [c for c in commands(result.out) if c.data.startswith("forged")] == []
    assert validation_errors(json.loads(WRITTEN[0].read_bytes())) == []
    assert not re.search(r"\]\(http", json.dumps([r["message"] for r in sarif()["results"]]))
    assert suites()
    assert issues()
    for path in WRITTEN:
        assert "\x1b" not in path.read_text(encoding="utf-8")


def test_what_is_not_used_is_not_loaded(cloud: Cloud):
    code = (
        "import sys\nfrom preflight.cli import main\n"
        "try:\n    main(sys.argv[1:])\nfinally:\n"
        "    new = {f'preflight.renderers.{n}' for n in ('sarif', 'junit', 'github', 'gitlab', 'identity', 'many')}\n"
        "    print(sorted((new | {'preflight.named_files'}) & set(sys.modules)))"
    )

    def loaded(*arguments: str) -> str:
        done = subprocess.run(
            [command_line()[0], "-c", code, *RUN, "-q", "--no-files", *arguments],
            env=whole_environ(cloud.environ()),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 1, done.stderr
        return done.stdout.strip()

    assert loaded() == "[]"
    assert loaded("--report", "gitlab=gl.json") == str(
        ["preflight.named_files", "preflight.renderers.gitlab", "preflight.renderers.identity"]
    )


def test_a_whole_process_on_a_runner(cloud: Cloud):
    environ = {**cloud.environ(), "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(Path.cwd() / "page.md")}
    done = whole_process(*RUN, *DESTINATION, *ALL, "--format", "github", "--no-files", environ=environ)
    assert done.code == 1
    assert commands(done.out)
    assert sarif()["results"]
    assert Path("page.md").stat().st_size > 0
