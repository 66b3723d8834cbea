"""`preflight config`: shows what is in force and from where; writes a first file, never over another."""

import json

import pytest

from preflight.cli import main


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


def test_init_writes_once(folder, capsys):
    assert preflight("config", "init") == 0
    assert preflight("config", "show") == 0
    (folder / "preflight.toml").write_text("# mine\n")
    assert preflight("config", "init") == 2
    assert "there already" in capsys.readouterr().err
    assert (folder / "preflight.toml").read_text() == "# mine\n"


def test_the_schema_is_printed(folder, capsys):
    assert preflight("schema", "config") == 0
    assert json.loads(capsys.readouterr().out)["properties"]["projects"]
