"""`preflight config`: shows what is in force and from where; writes a first file, never over another."""

import json
import os
import re

import pytest

from preflight.cli import main
from tests.check.repos import without, write


def preflight(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return int(end.value.code or 0)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_key_is_shown_with_its_line_or_as_a_default(folder, capsys):
    (folder / "preflight.toml").write_text("[projects.acme-analytics]\n\nlocation = 'EU\\u202e'\n")
    assert preflight("config", "show") == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["projects.acme-analytics.location", r"EU\u202e", "preflight.toml:3"] in rows
    assert ["projects.acme-analytics.profile", "heap", "default"] in rows


def test_where_there_is_none_it_says_how_to_begin(folder, capsys):
    assert preflight("config", "show") == 2
    assert "preflight config init" in capsys.readouterr().err


def test_one_that_is_named_is_shown(folder, capsys):
    (folder / "other.toml").write_text("rules = ['dataset-location']\n")
    assert preflight("config", "show", "--config", "other.toml") == 0
    assert "other.toml:1" in capsys.readouterr().out


def test_what_init_writes_can_be_put_in_and_judges(folder, capsys):
    """README: preflight config init, then preflight check, in a fresh repository."""
    write(folder, {**without("preflight.toml"), "envs/production/main.tf": 'provider "google" {}\n'})
    (folder / "envs" / "production.tfvars").write_text("")
    assert preflight("config", "init") == 0
    assert preflight("check", "-q") == 0, "as it stands"
    path = folder / "preflight.toml"
    path.write_text(re.sub(r"^#(?! )", "", path.read_text(), flags=re.MULTILINE))
    capsys.readouterr()
    assert preflight("check", "--format", "json") in {1, 3}, "all is owned, and another root declares nothing"
    (report,) = json.loads(capsys.readouterr().out)["reports"]
    assert report["project"]["id"] == "acme-analytics"


def test_init_writes_once(folder, capsys):
    assert preflight("config", "init") == 0
    assert preflight("config", "show") == 0
    (folder / "preflight.toml").write_text("# mine\n")
    assert preflight("config", "init") == 2
    assert "there already" in capsys.readouterr().err
    assert (folder / "preflight.toml").read_text() == "# mine\n"


def test_init_leaves_nothing_behind_where_it_fails(folder, capsys, monkeypatch):
    """A file that was cut short would be taken for a configuration that names nothing."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert preflight("config", "init") == 2
    said = capsys.readouterr().err
    assert "preflight.toml' cannot be written: No space left on device" in said
    assert list(folder.iterdir()) == []
    assert preflight("config", "init") == 0
    assert [path.name for path in folder.iterdir()] == ["preflight.toml"]


def test_init_replaces_no_link_and_nothing_that_came_meanwhile(folder, monkeypatch):
    (folder / "preflight.toml").symlink_to("nowhere")
    assert preflight("config", "init") == 2
    assert (folder / "preflight.toml").is_symlink()
    (folder / "preflight.toml").unlink()
    write = os.fsync

    def meanwhile(descriptor: int) -> None:
        (folder / "preflight.toml").write_text("# mine\n")
        write(descriptor)

    monkeypatch.setattr(os, "fsync", meanwhile)
    assert preflight("config", "init") == 2
    assert (folder / "preflight.toml").read_text() == "# mine\n"
    assert [path.name for path in folder.iterdir()] == ["preflight.toml"]


def test_the_schema_is_printed(folder, capsys):
    assert preflight("schema", "config") == 0
    assert json.loads(capsys.readouterr().out)["properties"]["projects"]
