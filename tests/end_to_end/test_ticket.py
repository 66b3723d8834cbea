"""`--format ticket`: what goes into a ticket holds no name that should have gone, whatever else is shown."""

import json
from pathlib import Path
from typing import Any

import pytest

from preflight.emulator import AUDITOR, World
from tests.end_to_end.conftest import ADMIN, RUN, VENDOR, Preflight, Serve
from tests.end_to_end.test_bundles import DESTINATION, EMAIL, home, unpacked
from tests.end_to_end.test_formats import export
from tests.end_to_end.test_recordings import DATA, PROJECTS, needs_recordings

__all__ = ["export", "home"]
GONE = ("acme.example", ADMIN, "partner.example", "data-team@", "C01acme99", "01A2B3", "987650000001", "373737000001",
        "acme-warehouse", "no-vendor-jobs", "finance", "marketing", "Acme Analytics", "heap-204112")  # fmt: skip
TICKET = ("--format", "ticket", "--no-files")


def names_in(text: str) -> list[str]:
    return [name for name in GONE if name.casefold() in text.casefold()]


@pytest.mark.parametrize("world", World.demos())
def test_the_text_has_pseudonyms_and_the_files_have_names(world: str, serve: Serve, preflight: Preflight):
    environ = serve(World.demo(world)).environ()
    done = preflight(*RUN, *DESTINATION, "--format", "ticket", "--output-dir", "out", environ=environ)
    verdict = {"ready": "READY: ", "blind": "CAN'T TELL: "}.get(world, "NOT READY: ")
    assert done.out.startswith(f"{verdict}project acme-analytics (421700000001) for Heap Connect\n")
    assert len(done.out) < 4_000
    assert names_in(done.out) == []
    assert {found for found in EMAIL.findall(done.out) if not found.endswith((".invalid", ".gserviceaccount.com"))} <= {
        "YOU@EXAMPLE.COM",
        "support@heap.io",
    }
    (file,) = Path("out").glob("*.json")
    report = json.loads(file.read_text(encoding="utf-8"))
    assert names_in(json.dumps(report)) or world == "ready"
    failing = [one["rule"] for one in report["findings"] if one["verdict"] == "fail"]
    assert all(f"\nFAIL {rule} (" in done.out for rule in failing)


@needs_recordings
@pytest.mark.parametrize("name", PROJECTS or ["(absent)"])
def test_each_recorded_project(name: str, serve: Serve, preflight: Preflight):
    folder = DATA / "api" / name
    world = World.recording(folder)
    own = world.projects[0]
    environ = serve(world).environ(caller=AUDITOR)
    text = preflight("run", "--project", own.id, *DESTINATION, *TICKET, environ=environ).out
    assert 200 < len(text) < 4_000
    written = (folder / "iam-policy.json").read_text(encoding="utf-8") if (folder / "iam-policy.json").exists() else ""
    for email in {found.casefold() for found in EMAIL.findall(written)} - {VENDOR.casefold()}:
        # Google's own accounts of the project are called after its number, which stays as its ID does.
        bare = email.partition("@")[0].removeprefix("service-").removesuffix("-compute")
        if not (bare in {own.number, own.id} and email.endswith("gserviceaccount.com")):
            assert email not in text.casefold()
    assert AUDITOR not in text


def test_the_answer_is_turned_back(serve: Serve, preflight: Preflight):
    environ = serve(World.demo("broken")).environ()
    plain = preflight(*RUN, *DESTINATION, *TICKET, "--redact", "none", environ=environ)
    assert "pseudonyms" not in plain.out
    assert "heap-204112" in plain.out
    clean = preflight(*RUN, *DESTINATION, *TICKET, environ=environ)
    Path("answer.txt").write_text(clean.out, encoding="utf-8")
    revealed = preflight("reveal", "answer.txt").out
    assert "heap-sql@heap-204112.iam.gserviceaccount.com" in revealed


def test_a_named_file_beside_the_terminal(serve: Serve, preflight: Preflight):
    environ = serve(World.demo("broken")).environ()
    done = preflight(*RUN, *DESTINATION, "--no-files", "--report", "ticket=t.txt", environ=environ)
    assert names_in(done.out)
    text = Path("t.txt").read_text(encoding="utf-8")
    assert text.startswith("NOT READY: ")
    assert names_in(text) == []
    assert "preflight reveal turns an answer back" in text


def test_what_was_redacted_before_stays_as_it_is(serve: Serve, preflight: Preflight):
    environ = serve(World.demo("broken")).environ()
    live = preflight(*RUN, *DESTINATION, *TICKET, "--bundle", "b.zip", environ=environ)
    again = preflight("run", "--snapshot", "b.zip", *TICKET)
    body = [text.split("\n\n", 1)[1] for text in (live.out, again.out)]
    assert body[0] == body[1]


def test_a_token_keeps_the_text_alone_from_leaving(serve: Serve, preflight: Preflight):
    planted = "ya29.a0AfB_byC1234567890"
    environ = serve(World.demo("ready")).environ()
    run = (*RUN, "--location", planted, "--report", "ticket=t.txt", "--report", "json=r.json", "--output-dir", "out")
    done = preflight(*run, environ=environ)
    assert done.code == 2
    assert "holds a Google access token" in done.err
    assert "Is project acme-analytics" in done.out
    assert json.loads(Path("r.json").read_text(encoding="utf-8"))["target"]["location"] == planted
    assert len(list(Path("out").iterdir())) == 2
    assert not Path("t.txt").exists()
    done = preflight(*RUN, "--location", planted, *TICKET, environ=environ)
    assert (done.code, done.out) == (2, "")


def test_a_key_that_is_damaged_keeps_nothing_else_from_being_told(serve: Serve, preflight: Preflight, home: Path):
    home.mkdir()
    (home / "pseudonyms.key").write_text("not hexadecimal", encoding="utf-8")
    run = (*RUN, "--report", "ticket=t.txt", "--no-files")
    done = preflight(*run, environ=serve(World.demo("ready")).environ())
    assert done.code == 2
    assert "pseudonyms.key" in done.err
    assert "Is project acme-analytics" in done.out
    assert not Path("t.txt").exists()


def test_a_name_that_is_left_keeps_it_from_leaving(serve: Serve, preflight: Preflight, monkeypatch: pytest.MonkeyPatch):
    from preflight.renderers import ticket

    def careless(*arguments: Any, **more: Any) -> str:
        return text(*arguments, **more) + "data-team@acme.example\n"

    text = ticket.render
    monkeypatch.setattr(ticket, "render", careless)
    done = preflight(*RUN, *TICKET, environ=serve(World.demo("ready")).environ())
    assert (done.code, done.out) == (2, "")
    assert "still in the ticket's text" in done.err


def test_it_is_about_one_project(preflight: Preflight, export: Path):
    preflight("run", "--assets", str(export), *TICKET).refuses("A ticket is about one project")


def test_a_plan_has_no_pseudonyms(preflight: Preflight):
    Path("plan.json").write_text("{}", encoding="utf-8")
    preflight(*RUN, "--plan", "plan.json", *TICKET).refuses("don't go with --plan", "--redact none")


def test_names_that_stay(serve: Serve, preflight: Preflight):
    done = preflight(*RUN, *DESTINATION, *TICKET, environ=serve(World.demo("broken")).environ())
    assert VENDOR in done.out
    assert "dataset heap_production" in done.out


CONFIGURATION = """
[projects.acme-analytics]
location = "EU"
dataset = "heap_production"

[skip]
dataset-location = "agreed with ana@acme.example"
"""


def test_what_a_configuration_leaves_out_stays_left_out(serve: Serve, preflight: Preflight):
    Path("preflight.toml").write_text(CONFIGURATION, encoding="utf-8")
    run = (*RUN, "--config", "preflight.toml", *TICKET)
    environ = serve(World.demo("broken")).environ()
    done = preflight(*run, "--bundle", "b.zip", environ=environ)
    assert done.code == 1, done.err
    assert "FAIL dataset-location" not in done.out
    assert names_in(done.out) == []
    files = unpacked("b.zip")
    assert names_in("".join(files.values())) == []
    (finding,) = [one for one in json.loads(files["report.json"])["findings"] if one["rule"] == "dataset-location"]
    assert (finding["verdict"], finding["ignored"]["verdict"]) == ("skip", "fail")
