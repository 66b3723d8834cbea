"""World files: what is read, and what is refused with the file and the key."""

from pathlib import Path

import pytest

import preflight.emulator
from preflight.emulator import Caller, World, WorldError

MINIMAL = '[[projects]]\nid = "p"\nnumber = "1"\n'


def load(tmp_path: Path, text: str) -> World:
    path = tmp_path / "world.toml"
    path.write_text(text, encoding="utf-8")
    return World.load(path)


def test_the_smallest_world(tmp_path):
    (project,) = load(tmp_path, MINIMAL).projects
    assert "bigquery.googleapis.com" in project.services  # on in a new project
    assert World.load(tmp_path) == World.load(tmp_path / "world.toml")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (MINIMAL + 'nmae = "x"\n', "unknown field `nmae`.*projects"),
        ("[[folder]]\n", "unknown field `folder`"),
        ('[[projects]]\nid = "p"\n', "missing required field `number`"),
        (MINIMAL + "labels = 3\n", "Expected `object`, got `int`.*labels"),
        (MINIMAL + MINIMAL, "project id 'p' occurs twice"),
        (MINIMAL + 'datasets = [{ id = "d" }, { id = "d" }]\n', "dataset 'p.d' occurs twice"),
        (MINIMAL + 'parent = "acme"\n', "parent 'acme' of projects/1"),
        ("id = = 3", "not TOML"),
        ('[[projects.datasets]]\nid = "x"\n', "Expected `array`, got `object`"),
    ],
)
def test_what_is_refused(tmp_path, text, told):
    with pytest.raises(WorldError, match=told) as refused:
        load(tmp_path, text)
    assert str(tmp_path / "world.toml") in str(refused.value)


def test_the_example_in_the_readme_is_a_world(tmp_path):
    readme = Path(preflight.emulator.__file__).with_name("README.md").read_text(encoding="utf-8")
    world = load(tmp_path, readme.partition("```toml\n")[2].partition("```")[0])
    assert [project.id for project in world.projects] == ["acme-analytics"]


def test_no_world_there(tmp_path):
    with pytest.raises(WorldError, match="neither a world file nor a folder"):
        World.load(tmp_path)


def test_the_demos():
    assert World.demos() == ("blind", "broken", "ready", "tangled")
    for name in World.demos():
        (project,) = World.demo(name).projects
        assert project.id == "acme-analytics"
    with pytest.raises(WorldError, match="no demo world 'redy'; there are: blind, broken, ready"):
        World.demo("redy")


def test_roles_and_callers_are_added():
    world = World.demo("ready").with_roles({"roles/x.y": ["a.b.c"]}).with_roles({"roles/x.y": ["d.e.f"]})
    assert [(role.name, role.permissions) for role in world.roles] == [("roles/x.y", ("d.e.f",))]
    more = world.with_callers(Caller("ADMIN@acme.example", expired=True))
    assert [caller.expired for caller in more.callers] == [False, True]
