"""A run, its bundle, its replay: the same verdicts; and in what leaves, none of the names that should have gone."""

import json
import re
import shlex
import shutil
import zipfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from preflight.emulator import AUDITOR, World
from tests.end_to_end.conftest import ADMIN, JSON, ROOT, RUN, VENDOR, Preflight, Result, Serve, says_one_sentence
from tests.end_to_end.test_recordings import DATA, PROJECTS, needs_recordings

DESTINATION = ("--location", "EU", "--dataset", "heap_production")
EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+[A-Za-z0-9]")
FILES = {"manifest.json", "snapshot.json", "report.json", "report.md", "trace.json"}


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A place of its own for the key and the legend."""
    folder = tmp_path / "kept"
    monkeypatch.setenv("PREFLIGHT_HOME", str(folder))
    return folder


def unpacked(bundle: str) -> dict[str, str]:
    with zipfile.ZipFile(bundle) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def offline(preflight: Preflight, *arguments: str) -> Result:
    """A run that must ask nobody: there are no credentials, and no stand-in."""
    return preflight("run", *arguments, *JSON)


def verdicts(report: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [
        (finding["rule"], finding["verdict"], finding["reason"] and finding["reason"]["kind"])
        for finding in report["findings"]
    ]


def bundled_and_replayed(preflight: Preflight, run: tuple[str, ...], environ: dict[str, str]) -> dict[str, str]:
    """Runs live, bundles, cleans, replays, and compares; returns the files of the clean bundle."""
    live = preflight(*run, *JSON, "--bundle", "full.zip", "--redact", "none", environ=environ)
    assert live.code in {0, 1, 3}, live.err
    full = offline(preflight, "--snapshot", "full.zip", "--bundle", "clean.zip")
    assert full.code == live.code, full.err
    assert full.report["findings"] == live.report["findings"]
    assert full.report["source"] == {"kind": "snapshot", "origin": "live", "plan": None, "stale": []}
    clean = offline(preflight, "--snapshot", "clean.zip")
    assert (clean.code, verdicts(clean.report)) == (live.code, verdicts(live.report))
    files = unpacked("clean.zip")
    assert json.loads(files["report.json"])["findings"] == clean.report["findings"]
    return files


@pytest.mark.parametrize("world", World.demos())
def test_each_demo_world(world: str, serve: Serve, preflight: Preflight):
    files = bundled_and_replayed(preflight, (*RUN, *DESTINATION), serve(World.demo(world)).environ())
    assert files.keys() == FILES
    whole = "".join(files.values())
    gone = ("acme.example", ADMIN, "partner.example", "analysts@", "data-team@", "C01acme99", "01A2B3", "987650000001",
            "373737000001", "373737000002", "acme-warehouse", "no-vendor-jobs", "finance", "marketing",
            "Acme Analytics", "for the migration", "heap-204112")  # fmt: skip
    assert [name for name in gone if name.casefold() in whole.casefold()] == []
    assert {found for found in EMAIL.findall(whole) if not found.endswith((".invalid", ".gserviceaccount.com"))} <= {
        "YOU@EXAMPLE.COM",
        "support@heap.io",
    }


@needs_recordings
@pytest.mark.parametrize("name", PROJECTS or ["(absent)"])
def test_each_recorded_project(name: str, serve: Serve, preflight: Preflight):
    folder = DATA / "api" / name
    world = World.recording(folder)
    files = bundled_and_replayed(
        preflight, ("run", "--project", world.projects[0].id, *DESTINATION), serve(world).environ(caller=AUDITOR)
    )
    own, vendor = world.projects[0], VENDOR.casefold()
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("iam-policy.json"))
    whole = "".join(files.values()).casefold()
    for email in {found.casefold() for found in EMAIL.findall(text)} - {vendor}:
        # Google's own accounts of the project are called after its number, which stays as its ID does.
        bare = email.partition("@")[0].removeprefix("service-").removesuffix("-compute")
        if not (bare in {own.number, own.id} and email.endswith("gserviceaccount.com")):
            assert email not in whole
    assert AUDITOR not in whole


def test_a_bundle_is_the_same_bytes_for_the_same_facts_and_key(serve: Serve, preflight: Preflight, home: Path):
    cloud = serve(World.demo("tangled"))
    preflight(*RUN, *DESTINATION, *JSON, "--bundle", "full.zip", "--redact", "none", environ=cloud.environ())
    for name in ("one.zip", "two.zip"):
        offline(preflight, "--snapshot", "full.zip", "--bundle", name)
    assert Path("one.zip").read_bytes() == Path("two.zip").read_bytes()
    shutil.rmtree(home)
    offline(preflight, "--snapshot", "full.zip", "--bundle", "other.zip")
    assert Path("other.zip").read_bytes() != Path("one.zip").read_bytes()


def test_the_files_fit_their_schemas(serve: Serve, preflight: Preflight):
    preflight(*RUN, *DESTINATION, *JSON, "--bundle", "b.zip", environ=serve(World.demo("tangled")).environ())
    files = unpacked("b.zip")
    for name, schema in (("manifest", "bundle"), ("snapshot", "snapshot"), ("trace", "trace"), ("report", "report")):
        published = json.loads(preflight("schema", schema).out)
        jsonschema.validate(json.loads(files[f"{name}.json"]), published, cls=jsonschema.Draft202012Validator)


def test_what_leaves_is_told_and_an_answer_is_turned_back(serve: Serve, preflight: Preflight, home: Path):
    done = preflight(
        *RUN, *DESTINATION, "-q", "--no-files", "--bundle", "b.zip", environ=serve(World.demo("tangled")).environ()
    )
    assert "Replaced by pseudonyms: accounts and groups 7, " in done.err
    assert "Named as they are: acme-analytics, " in done.err
    assert (home / "pseudonyms.key").stat().st_mode & 0o777 == 0o600
    assert (home / "legend.json").stat().st_mode & 0o777 == 0o600
    answer = Path("answer.txt")
    answer.write_text(unpacked("b.zip")["report.md"], encoding="utf-8")
    assert "no-vendor-jobs" in preflight("reveal", "answer.txt").out
    assert "organizations/987650000001" in preflight("reveal", "answer.txt").out
    assert preflight("reveal", "answer.txt").err == ""
    answer.write_text("ask x_0123456789ab@x-0123456789ab.invalid and x_0123456789ab", encoding="utf-8")
    assert preflight("reveal", "answer.txt").err.startswith("Warning: 2 pseudonyms are not known here")
    preflight("reveal", "b.zip").refuses("a bundle, not an answer")


def test_an_option_changes_what_is_asked_of_a_bundle(serve: Serve, preflight: Preflight):
    preflight(*RUN, *DESTINATION, *JSON, "--bundle", "b.zip", environ=serve(World.demo("ready")).environ())
    as_it_was = offline(preflight, "--snapshot", "b.zip").report
    assert as_it_was["target"] == {"location": "EU", "dataset": "heap_production"}
    elsewhere = offline(preflight, "--snapshot", "b.zip", "--location", "europe-west2", "--rule", "dataset-location")
    assert elsewhere.report["target"]["location"] == "europe-west2"
    assert [finding["rule"] for finding in elsewhere.report["findings"]] == ["dataset-location"]
    preflight("run", "--snapshot", "b.zip", "--project", "another-project").refuses("acme-analytics", "another-project")


def test_what_a_bundle_lacks_is_to_be_collected_again(serve: Serve, preflight: Preflight):
    environ = serve(World.demo("ready")).environ()
    preflight(*RUN, *JSON, "--rule", "billing-enabled", "--bundle", "b.zip", environ=environ)
    assert offline(preflight, "--snapshot", "b.zip").verdicts == {"billing-enabled": "pass"}
    more = offline(preflight, "--snapshot", "b.zip", "--rule", "project-active", "--rule", "billing-enabled")
    assert more.verdicts == {"billing-enabled": "pass", "project-active": "unknown"}
    reason = more.finding("project-active")["reason"]
    assert reason["kind"] == "not_collected"
    assert "Collect again" in reason["settle"]
    assert more.code == 3


def test_collect_reads_without_a_verdict(serve: Serve, preflight: Preflight):
    cloud = serve(World.demo("broken"))
    done = preflight(
        "collect", "--project", "acme-analytics", *DESTINATION, "--output", "c.zip", environ=cloud.environ()
    )
    assert (done.code, done.out) == (0, "")
    assert unpacked("c.zip").keys() == FILES - {"report.json", "report.md"}
    assert offline(preflight, "--snapshot", "c.zip").code == 1


def test_inspect_lists_what_is_inside(serve: Serve, preflight: Preflight):
    preflight(*RUN, *JSON, "--bundle", "b.zip", environ=serve(World.demo("blind")).environ())
    listed = preflight("inspect", "b.zip")
    assert listed.code == 0
    for part in ("acme-analytics, names replaced (default)", "snapshot.json", "denied: ", "calls, "):
        assert part in listed.out
    Path("s.json").write_text(unpacked("b.zip")["snapshot.json"], encoding="utf-8")
    assert "Facts about acme-analytics" in preflight("inspect", "s.json").out
    assert offline(preflight, "--snapshot", "s.json").code == 3


def test_a_profile_of_ones_own_goes_with_it(serve: Serve, preflight: Preflight):
    text = (ROOT / "rules" / "profiles" / "heap.toml").read_text(encoding="utf-8").replace('"heap"', '"ours"')
    Path("ours.toml").write_text(text, encoding="utf-8")
    run = (*RUN, *DESTINATION, *JSON, "--profile", "ours.toml", "--bundle", "b.zip")
    live = preflight(*run, environ=serve(World.demo("ready")).environ())
    Path("ours.toml").unlink()
    again = offline(preflight, "--snapshot", "b.zip")
    assert again.report["profile"] == live.report["profile"]
    assert again.report["profile"]["name"] == "ours"


@pytest.mark.parametrize("level", ["default", "strict"])
def test_other_reports_can_have_pseudonyms_too(level: str, serve: Serve, preflight: Preflight):
    environ = serve(World.demo("tangled")).environ()
    plain = preflight(*RUN, *DESTINATION, "--no-files", environ=environ)
    clean = preflight(*RUN, *DESTINATION, "--redact", level, environ=environ)
    assert "no-vendor-jobs" in plain.out
    written = "".join(path.read_text(encoding="utf-8") for path in Path("reports").iterdir())
    assert "no-vendor-jobs" not in clean.out + written
    assert "heap-204112" not in clean.out + written
    assert clean.code == plain.code


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--snapshot", "b.zip", "--assets", "b.zip"), "--snapshot and --assets"),
        (("--snapshot", "b.zip", "--terraform", "."), "--snapshot and --terraform"),
        (("--snapshot", "b.zip", "--timeout", "3"), "--timeout"),
        (("--project", "acme-analytics", "--plan", "p.json", "--bundle", "b.zip"), "A bundle holds"),
        (("--assets", "a.json", "--bundle", "b.zip"), "A bundle holds"),
        (("--snapshot", "absent.zip"), "absent.zip"),
    ],
)
def test_what_does_not_go_together(options: tuple[str, ...], said: str, preflight: Preflight):
    preflight("run", *options).refuses(said)


def test_a_bundle_that_cannot_be_written_is_told_before_anything_is_asked(serve: Serve, preflight: Preflight):
    cloud = serve(World.demo("ready"))
    Path("taken").mkdir()
    done = preflight(*RUN, "--bundle", "taken", environ=cloud.environ())
    done.refuses("taken")
    assert cloud.methods == set()


def test_a_planted_token_is_found_at_the_last(serve: Serve, preflight: Preflight):
    for planted in ("ya29.a0AfB_byC1234567890", "AIzaSyA1234567890abcdefghijklmnopqrs", "GOCSPX-abcdefghijklmnop"):
        cloud = serve(World.demo("ready"))
        run = (*RUN, "--location", planted, "--no-files", "-q", "--bundle", "b.zip")
        done = preflight(*run, environ=cloud.environ())
        assert done.code == 2
        assert "so nothing was" in done.err
        assert planted not in done.err
        assert not Path("b.zip").exists()


def test_a_key_that_is_damaged_is_told(serve: Serve, preflight: Preflight, home: Path):
    home.mkdir()
    (home / "pseudonyms.key").write_text("not hexadecimal", encoding="utf-8")
    done = preflight(*RUN, "-q", "--no-files", "--bundle", "b.zip", environ=serve(World.demo("ready")).environ())
    assert done.code == 2
    says_one_sentence(
        done.err.partition("Error: ")[1] + done.err.partition("Error: ")[2], "pseudonyms.key", "PREFLIGHT_HOME"
    )
    assert not Path("b.zip").exists()


def test_the_document_names_what_is_inside_and_its_commands_run(serve: Serve, preflight: Preflight, home: Path):
    document = (ROOT / "docs" / "bundles.md").read_text(encoding="utf-8")
    block = document.partition("```sh\n")[2].partition("```")[0]
    environ = serve(World.demo("ready")).environ()
    for line in block.splitlines():
        done = preflight(*shlex.split(line)[1:], environ=environ)
        assert done.code == 0, done.err
    assert set(re.findall(r"`([\w.]+)`", document)) >= FILES
    assert {path.name for path in home.iterdir()} == {"pseudonyms.key", "legend.json"}
    assert {"pseudonyms.key", "legend.json"} <= set(re.findall(r"`([\w.]+)`", document))
    for command in re.findall(r"`preflight (schema \w+)`", document):
        assert json.loads(preflight(*command.split()).out)["$schema"]
