"""What a support engineer may be sent: a clear refusal, in little time and memory, and nothing written elsewhere.

One process with bounded memory runs every command on every file; each test looks at what came of one of them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from preflight.bundle.reading import read_stored
from preflight.cli import main
from preflight.errors import BundleError
from tests.bundle import hostile
from tests.bundle.conftest import GOOD

ROOT = Path(__file__).resolve().parents[2]
MEGABYTES = 1_200
"""That the process may map, its libraries and what they keep for themselves included."""
SECONDS = 3.0
"""Of CPU, for any one command on any one file: most take milliseconds."""
COMMANDS = ("inspect", "run", "bundle", "diff", "diff from")
ARCHIVES, SELECTIONS = hostile.archives(GOOD), hostile.selections(GOOD)
CASES = {
    **{name: make for name, (make, _) in (ARCHIVES | SELECTIONS).items()},
    **hostile.HUGE,
    "cut": lambda: GOOD[: len(GOOD) // 2],
    "the end alone": lambda: b"PK\3\4" + GOOD[-22:],
    "something after it": lambda: GOOD + b"x",
}


def file_of(name: str) -> str:
    return f"{list(CASES).index(name):03d}.zip"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def outcome(place: Path) -> Iterator[dict[str, Any]]:
    """What came of all of it."""
    (place / "cases").mkdir()
    (place / "good.zip").write_bytes(GOOD)
    for name, make in CASES.items():
        (place / "cases" / file_of(name)).write_bytes(make())
    os.mkfifo(place / "cases" / "pipe")
    (place / "cases" / "folder").mkdir()
    (place / "cases" / "zeros").symlink_to("/dev/zero")
    (place / "cases" / "gone").symlink_to("nowhere")
    before = files_in(place)
    subprocess.run(
        [sys.executable, "-m", "tests.bundle.bounded", str(place), str(MEGABYTES)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PREFLIGHT_HOME": str(place / "home")},
        check=True,
        timeout=170,
    )
    found: dict[str, Any] = json.loads((place / "results.json").read_text(encoding="utf-8"))
    yield found | {"new": files_in(place) - before}
    for path in (place / "cases").iterdir():
        if not path.is_dir():
            path.unlink()  # they are large


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def refused(outcome: dict[str, Any], file: str, *said: str, commands: tuple[str, ...] = COMMANDS) -> None:
    for command in commands:
        code, out, err, seconds = outcome["results"][file][command]
        lines = err.splitlines()
        assert (code, out) == (2, ""), (command, code, err)
        assert lines[0].startswith("Error: "), err
        assert len(lines) <= 2, err
        assert all(words in err for words in said), (command, err)
        assert err.replace("\n", "").isprintable()
        assert seconds < SECONDS, command


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_that_is_no_bundle_of_ours_is_refused(name: str, outcome: dict[str, Any]):
    refused(outcome, file_of(name), ARCHIVES[name][1])


@pytest.mark.parametrize("name", SELECTIONS)
def test_a_selection_that_cannot_be_had_is_refused(name: str, outcome: dict[str, Any]):
    refused(outcome, file_of(name), SELECTIONS[name][1], commands=COMMANDS[1:3])
    code, out, err, _ = outcome["results"][file_of(name)]["inspect"]
    assert (code, err) == (0, "")
    assert out.replace("\n", "").isprintable()


@pytest.mark.parametrize("name", hostile.HUGE)
def test_a_file_that_is_no_bundle_is_refused(name: str, outcome: dict[str, Any]):
    refused(outcome, file_of(name))


@pytest.mark.parametrize("name", ["cut", "the end alone", "something after it"])
def test_an_archive_that_is_not_whole_is_damaged(name: str, outcome: dict[str, Any]):
    refused(outcome, file_of(name), "is damaged")


@pytest.mark.parametrize(("name", "said"), [("pipe", "is not a file"), ("folder", "is not a file"),
                                            ("zeros", "is not a file"), ("gone", "no such file")])  # fmt: skip
def test_what_is_no_file_is_refused_at_once(name: str, said: str, outcome: dict[str, Any]):
    refused(outcome, name, said)


def test_nothing_is_written_but_what_was_named(outcome: dict[str, Any]):
    assert outcome["new"] <= {"results.json", "home", "home/pseudonyms.key", "home/legend.json"}
    assert not Path("/elsewhere").exists()


def test_the_memory_of_all_of_them_is_bounded(outcome: dict[str, Any]):
    assert outcome["peak"] < 900, "MB"


@pytest.mark.parametrize("part", range(8))
def test_a_bundle_that_is_cut_anywhere_is_refused(part: int, tmp_path: Path):
    path = tmp_path / "cut.zip"
    for length in range(1 + part, len(GOOD), 8 * 7):
        path.write_bytes(GOOD[:length])
        with pytest.raises(BundleError):
            read_stored(path)


@pytest.mark.parametrize("part", range(4))
def test_a_bundle_with_any_byte_changed_is_read_or_refused(part: int, tmp_path: Path):
    path = tmp_path / "changed.zip"
    whole = read_stored_of(GOOD, path)
    for at in range(part, len(GOOD), 4 * 11):
        changed = bytearray(GOOD)
        changed[at] ^= 0x11 + part
        path.write_bytes(changed)
        try:
            assert read_stored(path).snapshot == whole.snapshot
        except BundleError:
            continue


def read_stored_of(data: bytes, path: Path) -> Any:
    path.write_bytes(data)
    return read_stored(path)


def test_a_later_minor_version_is_read(tmp_path: Path):
    files = hostile.unpacked(GOOD)
    for name in ("snapshot.json", "trace.json", "manifest.json"):
        changed = {**json.loads(files[name]), "schema_version": "1.9", "of_tomorrow": [1, {"x": None}]}
        files[name] = json.dumps(changed).encode()
    snapshot = json.loads(files["snapshot.json"])
    snapshot["asked"]["more"] = "x"
    snapshot["facts"]["kind_of_tomorrow"] = {"kind": "unheard_of"}
    files["snapshot.json"] = json.dumps(snapshot).encode()
    stored = read_stored_of(hostile.honest(files), tmp_path / "later.zip")
    assert stored.snapshot.schema_version == "1.9"
    assert stored.snapshot.facts == read_stored_of(GOOD, tmp_path / "good.zip").snapshot.facts


@pytest.mark.parametrize("command", [("inspect",), ("run", "--no-files", "--snapshot")])
def test_a_report_where_a_bundle_is_wanted_is_told_as_such(command, tmp_path: Path, capsys):
    path = tmp_path / "report.json"
    path.write_bytes(hostile.unpacked(GOOD)["report.json"])
    with pytest.raises(SystemExit) as end:
        main([*command, str(path)])
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert "is a report, not a snapshot" in said
    assert "preflight diff" in said


def test_a_bundle_and_its_report_are_compared(tmp_path: Path, capsys):
    (tmp_path / "b.zip").write_bytes(GOOD)
    (tmp_path / "r.json").write_bytes(hostile.unpacked(GOOD)["report.json"])
    with pytest.raises(SystemExit) as end:
        main(["diff", str(tmp_path / "b.zip"), str(tmp_path / "r.json")])
    assert end.value.code in {0, None}
    assert capsys.readouterr().err == ""


def test_a_file_that_vanishes_once_it_is_open_is_read(tmp_path: Path, monkeypatch):
    path = tmp_path / "b.zip"
    path.write_bytes(GOOD)
    opened = os.open

    def vanishing(*arguments, **more):
        number = opened(*arguments, **more)
        path.unlink(missing_ok=True)
        return number

    monkeypatch.setattr(os, "open", vanishing)
    assert read_stored(path).manifest is not None
    assert not path.exists()
