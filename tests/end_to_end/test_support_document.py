"""docs/support.md: the ticket that it tells of is filed, judged, answered and closed, with its commands as written."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from preflight.emulator import World
from tests.end_to_end.conftest import ROOT, Preflight, Serve, words
from tests.end_to_end.made_up import FOLDER, GET_FOLDER_POLICY, HEAP, USER, bind, cloud, dataset

TEXT = (ROOT / "docs" / "support.md").read_text(encoding="utf-8")
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)
COMMANDS = [line for language, block in BLOCKS if language == "sh" for line in block.splitlines()]
KEY = "5e" * 32
"""Of the pseudonyms that the document shows."""


def world(*bindings: Any, **more: Any) -> World:
    return cloud(bind("roles/viewer", "user:ana@acme.example"), *bindings, datasets=(dataset("finance"),), **more)


BEFORE = world(withheld={FOLDER: (GET_FOLDER_POLICY,)})
AFTER = world(bind(USER, HEAP))


@pytest.fixture(autouse=True)
def _the_key_of_the_document(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "pseudonyms.key").write_text(KEY, encoding="utf-8")
    monkeypatch.setenv("PREFLIGHT_HOME", str(tmp_path / "kept"))
    monkeypatch.setenv("COLUMNS", "100")  # as wide as the document


def test_each_command_in_its_order(serve: Serve, preflight: Preflight):
    """What each says holds what the document shows of it."""
    assert [line.split()[1] for line in COMMANDS] == ["run", "run", "inspect", "run", "reveal", "run", "diff"]
    bundled, ticket, inspect, replay, reveal, again, diff = (shlex.split(line)[1:] for line in COMMANDS)
    before, after = serve(BEFORE).environ(), serve(AFTER).environ()
    assert preflight(*bundled, environ=before).code == 3
    text = preflight(*ticket, environ=before)
    assert text.out.startswith("CAN'T TELL: project acme-analytics")
    assert len(text.out) < 4_000
    listed = preflight(*inspect)
    assert listed.code == 0
    assert "denied: cloudresourcemanager.folders.getIamPolicy" in listed.out
    judged = preflight(*replay)
    assert judged.code == 3
    shown = [block for language, block in BLOCKS if language == "text"]
    report, sight, grant, changed = shown
    for told in (report, sight, grant):
        assert told in judged.out
        assert told.split("\n")[-2].strip() in judged.out
    Path("answer.txt").write_text(sight, encoding="utf-8")
    revealed = preflight(*reveal)
    assert "add-iam-policy-binding 2000 --member=user:admin@acme.example --role" in revealed.out
    assert preflight(*again, environ=after).code == 0
    compared = preflight(*diff)
    assert compared.code == 0
    for line in changed.splitlines():
        assert " ".join(line.split()) in words(compared), line


def test_a_ready_project_ends_with_what_to_send(serve: Serve, preflight: Preflight):
    done = preflight(*shlex.split(COMMANDS[0])[1:], environ=serve(AFTER).environ())
    assert "Send this to support@heap.io" in done.out


def test_there_is_no_block_that_nothing_tries():
    assert {language for language, _ in BLOCKS} == {"sh", "text"}
    assert sum(language == "text" for language, _ in BLOCKS) == 4


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!http)([^)#]+)", TEXT):
        assert (ROOT / "docs" / target).exists(), target


def test_it_is_one_page():
    assert len(TEXT.split()) < 750
