"""`--report FORMAT=FILE`: each file is whole or as it was, and what goes wrong is told before the run."""

import errno
import os
import pty
import stat
import threading
from pathlib import Path

import pytest

from preflight.errors import OutputError
from preflight.named_files import NamedFiles
from preflight.renderers import Format

SARIF, JUNIT, SUMMARY = Format.SARIF, Format.JUNIT, Format.GITHUB_SUMMARY


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_each_file_gets_what_is_of_its_format(tmp_path):
    wanted = [(SARIF, tmp_path / "a"), (JUNIT, tmp_path / "deep" / "er" / "b"), (SARIF, tmp_path / "c")]
    with NamedFiles(wanted) as files:
        assert files.formats == {SARIF, JUNIT}
        for text in ("one ", "two\n"):
            files.write(SARIF, text)
            files.write(JUNIT, text.upper())
        assert files.finish() == tuple(path for _, path in wanted)
    assert [path.read_text() for _, path in wanted] == ["one two\n", "ONE TWO\n", "one two\n"]
    assert names(tmp_path) == {"a", "deep", "c"}


def test_a_file_has_its_name_only_when_it_is_whole(tmp_path):
    (tmp_path / "old").write_text("as before")
    with NamedFiles([(SARIF, tmp_path / "old"), (JUNIT, tmp_path / "new")]) as files:
        files.write(SARIF, "half")
        assert (tmp_path / "old").read_text() == "as before"
        assert not (tmp_path / "new").exists()
    assert (tmp_path / "old").read_text() == "as before"
    assert names(tmp_path) == {"old"}


def test_an_interrupt_leaves_all_as_it_was(tmp_path):
    (tmp_path / "page").write_text("of another step\n")
    wanted = [(SARIF, tmp_path / "a"), (SUMMARY, tmp_path / "page"), (SUMMARY, tmp_path / "new-page")]

    def interrupted(files):
        files.write(SARIF, "half")
        files.write(SUMMARY, "half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), NamedFiles(wanted) as files:
        interrupted(files)
    assert names(tmp_path) == {"page"}
    assert (tmp_path / "page").read_text() == "of another step\n"


def test_a_summary_is_added_to_what_is_there(tmp_path):
    page = tmp_path / "page"
    for text in ("one\n", "two\n"):
        with NamedFiles([(SUMMARY, page)]) as files:
            files.write(SUMMARY, text)
            files.finish()
    assert page.read_text() == "one\ntwo\n"


def test_a_replaced_file_keeps_its_mode_and_a_link_stays_one(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("old")
    secret.chmod(0o600)
    (tmp_path / "link").symlink_to(secret)
    with NamedFiles([(SARIF, tmp_path / "link")]) as files:
        files.write(SARIF, "new")
        files.finish()
    assert (tmp_path / "link").is_symlink()
    assert secret.read_text() == "new"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600


def test_a_device_is_written_and_not_replaced():
    ours, theirs = pty.openpty()  # a device that is this test's own
    try:
        device = Path(os.ttyname(theirs))
        with NamedFiles([(SARIF, device)]) as files:
            files.write(SARIF, "x")
            files.finish()
        assert os.read(ours, 10) == b"x"
        assert stat.S_ISCHR(device.stat().st_mode)
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_pipe_is_written(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    with NamedFiles([(SARIF, pipe)]) as files:
        files.write(SARIF, "through it")
        files.finish()
    reader.join(timeout=10)
    assert read == ["through it"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_two_runs_at_once_leave_one_whole_file(tmp_path):
    target = tmp_path / "a"
    with NamedFiles([(SARIF, target)]) as one, NamedFiles([(SARIF, target)]) as other:
        for text in ("1" * 9, "2" * 9):
            one.write(SARIF, text)
            other.write(SARIF, text.replace("1", "3").replace("2", "4"))
        one.finish()
        other.finish()
    assert target.read_text() == "3" * 9 + "4" * 9
    assert names(tmp_path) == {"a"}


@pytest.mark.parametrize("step", ["write", "fsync"])
def test_a_failure_at_any_step_leaves_nothing_behind(step, tmp_path, monkeypatch):
    def fails(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def all_of_it():
        with NamedFiles([(SARIF, tmp_path / "a"), (JUNIT, tmp_path / "b"), (SUMMARY, tmp_path / "c")]) as files:
            monkeypatch.setattr(os, step, fails)
            files.write(SARIF, "x")
            files.finish()

    with pytest.raises(OutputError, match="no space is left"):
        all_of_it()
    assert names(tmp_path) == set()


def a_folder(folder: Path) -> Path:
    return folder


def below_a_file(folder: Path) -> Path:
    (folder / "file").write_text("")
    return folder / "file" / "deep"


def a_circle(folder: Path) -> Path:
    (folder / "circle").symlink_to(folder / "circle")
    return folder / "circle"


@pytest.mark.parametrize(
    ("place", "says"),
    [
        pytest.param(a_folder, "it is a folder", id="a folder"),
        pytest.param(below_a_file, "part of that path is a file", id="below a file"),
        pytest.param(a_circle, "links go in circles", id="a circle of links"),
        pytest.param(lambda folder: folder / ("x" * 300), "the name is too long", id="a long name"),
        pytest.param(lambda folder: folder / "a\0b", "no valid path", id="a NUL"),
        pytest.param(
            lambda folder: folder / ("x" * 250), "the name is too long", id="a name with no room for a part's"
        ),
    ],
)
def test_a_file_that_cannot_be_written_is_told_at_once_and_no_other_is_left(place, says, tmp_path):
    path = place(tmp_path)
    before = names(tmp_path)
    with pytest.raises(OutputError, match=says) as caught:
        NamedFiles([(JUNIT, tmp_path / "first"), (SUMMARY, tmp_path / "page"), (SARIF, path)])
    assert names(tmp_path) == before
    assert "\n" not in caught.value.message
    assert caught.value.message.endswith(".")
    assert "--report" in caught.value.hint


def test_a_file_that_may_not_be_written_is_not_replaced(tmp_path, monkeypatch):
    (tmp_path / "kept").write_text("as before")
    real = os.open

    def refuses(path, *given):  # as for others than root
        if Path(path).name == "kept":
            raise PermissionError(errno.EACCES, "no")
        return real(path, *given)

    monkeypatch.setattr(os, "open", refuses)
    with pytest.raises(OutputError, match="permission denied"):
        NamedFiles([(SARIF, tmp_path / "kept")])
    assert (tmp_path / "kept").read_text() == "as before"
