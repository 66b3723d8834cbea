"""Report files are whole or not there, never another run's, and what goes wrong is one clear sentence."""

import errno
import json
import os
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import pytest
from msgspec.structs import replace

from preflight.errors import OutputError
from preflight.facts.snapshot import Target
from preflight.renderers import Format, render
from preflight.report import Report
from preflight.report_files import write_reports

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STEM = "acme-analytics-20260102T030405Z"


def report(project: str = "acme-analytics") -> Report:
    return Report(
        target=Target(project, "user:a@example.com"),
        project_number=None,
        profile="heap",
        profile_version="1",
        vendor="Heap",
        source="live",
        started_at=MOMENT,
        finished_at=MOMENT,
        findings=(),
    )


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def write_one_of_many(folder: Path, number: int) -> tuple[Path, ...]:
    return write_reports(replace(report(), vendor=f"Vendor {number}"), folder)


def test_json_and_markdown_are_written_as_rendered(tmp_path):
    folder = tmp_path / "a" / "b"
    paths = write_reports(report(), folder)
    assert paths == (folder / f"{STEM}.json", folder / f"{STEM}.md")
    for path, form in zip(paths, (Format.JSON, Format.MARKDOWN), strict=True):
        assert path.read_text(encoding="utf-8") == render(report(), form)
    assert names(folder) == {path.name for path in paths}


def test_only_the_wanted_formats_are_written(tmp_path):
    assert write_reports(report(), tmp_path, (Format.TERMINAL,)) == (tmp_path / f"{STEM}.txt",)
    assert write_reports(report(), tmp_path / "none", ()) == ()
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("project", "name"),
    [
        ("example.com:legacy", "example.com_legacy"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("-rf", "rf"),
        (".hidden", "hidden"),
        ("a b\n\u202e", "a_b__"),
        ("...", "project"),
    ],
)
def test_a_project_makes_a_safe_name(project, name, tmp_path):
    paths = write_reports(report(project), tmp_path)
    assert [path.name for path in paths] == [f"{name}-20260102T030405Z.json", f"{name}-20260102T030405Z.md"]


def test_a_second_run_in_the_same_second_takes_the_next_name(tmp_path):
    write_reports(report(), tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert [path.name for path in write_reports(report(), tmp_path)] == [f"{STEM}-2.json", f"{STEM}-2.md"]
    assert [path.name for path in write_reports(report(), tmp_path)] == [f"{STEM}-3.json", f"{STEM}-3.md"]
    assert {path: path.read_bytes() for path in before} == before


def test_a_name_is_taken_if_any_file_has_it_even_a_dangling_link(tmp_path):
    (tmp_path / f"{STEM}.md").symlink_to(tmp_path / "nowhere")
    assert write_reports(report(), tmp_path)[0].name == f"{STEM}-2.json"
    assert not (tmp_path / "nowhere").exists()


def test_another_formats_file_takes_the_name_too(tmp_path):
    write_reports(report(), tmp_path, (Format.MARKDOWN,))
    assert write_reports(report(), tmp_path, (Format.JSON,))[0].name == f"{STEM}-2.json"


@pytest.mark.parametrize(
    "pool",
    [
        pytest.param(lambda: ThreadPoolExecutor(16), id="threads"),
        pytest.param(lambda: ProcessPoolExecutor(4, mp_context=get_context("spawn")), id="processes"),
    ],
)
def test_runs_at_once_never_clobber_each_other(pool, tmp_path):
    with pool() as executor:
        written = list(executor.map(write_one_of_many, [tmp_path] * 40, range(40)))
    assert len({path for paths in written for path in paths}) == 80
    assert names(tmp_path) == {path.name for paths in written for path in paths}
    for number, (as_json, as_markdown) in enumerate(written):
        assert as_json.stem == as_markdown.stem
        assert json.loads(as_json.read_text(encoding="utf-8"))["vendor"] == f"Vendor {number}"
        assert f"Vendor {number}" in as_markdown.read_text(encoding="utf-8")


def test_what_a_killed_run_left_stands_in_no_ones_way(tmp_path):
    (tmp_path / f".{STEM}.part").write_text("half")
    (tmp_path / f".{STEM}-2.md.part").write_text("a longer half that was never finished" * 1000)
    as_json, as_markdown = write_reports(report(), tmp_path)
    assert as_json.name == f"{STEM}-2.json"
    assert as_markdown.read_text(encoding="utf-8") == render(report(), Format.MARKDOWN)


@pytest.mark.parametrize("step", ["write", "fsync", "rename"])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_failure_at_any_step_leaves_nothing_behind(step, nth, tmp_path, monkeypatch):
    real = getattr(Path if step == "rename" else os, step)
    calls = iter(range(1, 100))

    def fails(*given):
        if next(calls) == nth:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*given)

    monkeypatch.setattr(Path if step == "rename" else os, step, fails)
    with pytest.raises(OutputError, match="no space is left"):
        write_reports(report(), tmp_path)
    assert names(tmp_path) == set()


def test_an_interrupt_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_reports(report(), tmp_path)
    assert names(tmp_path) == set()


def test_a_disk_that_takes_a_few_bytes_at_a_time_gets_them_all(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, data: real(file, data[:7]))
    for path, form in zip(write_reports(report(), tmp_path), (Format.JSON, Format.MARKDOWN), strict=True):
        assert path.read_text(encoding="utf-8") == render(report(), form)


def test_a_folder_that_cannot_be_synced_is_no_error(tmp_path, monkeypatch):
    real = os.open

    def refuses_folders(path, *given):
        if Path(path) == tmp_path:
            raise PermissionError(errno.EACCES, "no")
        return real(path, *given)

    monkeypatch.setattr(os, "open", refuses_folders)
    assert len(write_reports(report(), tmp_path)) == 2


def a_file(folder: Path) -> Path:
    (folder / "reports").write_text("")
    return folder / "reports"


def below_a_file(folder: Path) -> Path:
    return a_file(folder) / "deep"


def a_dangling_link(folder: Path) -> Path:
    (folder / "reports").symlink_to(folder / "nowhere")
    return folder / "reports"


def a_circle(folder: Path) -> Path:
    (folder / "reports").symlink_to(folder / "reports")
    return folder / "reports" / "deep"


@pytest.mark.parametrize(
    ("place", "says"),
    [
        pytest.param(a_file, "a file of that name is in the way", id="a file"),
        pytest.param(below_a_file, "part of that path is a file", id="below a file"),
        pytest.param(a_dangling_link, "symbolic link to a place that does not exist", id="a dangling link"),
        pytest.param(a_circle, "links go in circles", id="a circle of links"),
        pytest.param(lambda folder: folder / ("x" * 300), "the name is too long", id="a long name"),
        pytest.param(lambda folder: folder / "a\0b", "no valid path", id="a NUL"),
    ],
)
def test_a_place_that_cannot_be_written_to_is_told(place, says, tmp_path):
    folder = place(tmp_path)
    with pytest.raises(OutputError, match=says) as caught:
        write_reports(report(), folder)
    assert caught.value.message.endswith(".")
    assert "\n" not in caught.value.message
    assert "--output-dir" in caught.value.hint


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc, the one folder that refuses root too")
def test_a_folder_that_takes_no_files_is_told():
    with pytest.raises(OutputError, match=r"cannot be written to '/proc'"):
        write_reports(report(), Path("/proc"))


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (errno.EROFS, "the file system is read-only"),
        (errno.EACCES, "permission denied"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EIO, os.strerror(errno.EIO).lower()),
    ],
)
def test_each_cause_has_its_words(code, says, tmp_path, monkeypatch):
    def refuses(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "open", refuses)
    with pytest.raises(OutputError, match=says):
        write_reports(report(), tmp_path)
    assert names(tmp_path) == set()


def test_a_project_too_long_for_a_file_name_is_told(tmp_path):
    with pytest.raises(OutputError, match="the name is too long"):
        write_reports(report("p" * 300), tmp_path)
    assert names(tmp_path) == set()
