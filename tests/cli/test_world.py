"""`preflight world`, and the document on worlds: it names each key and fault that there is, and no other."""

import os
import re
import stat
import typing
from pathlib import Path

import msgspec
import pytest

from preflight.cli import main
from preflight.cli.world import TEMPLATE
from preflight.emulator import World, faults
from preflight.emulator import world as worlds
from preflight.testing import world

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "worlds.md").read_text(encoding="utf-8")


class Said(typing.NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def preflight(tmp_path, monkeypatch, capsys):
    """The command line in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Said:
        with pytest.raises(SystemExit) as end:
            main(list(arguments))
        said = capsys.readouterr()
        return Said(int(end.value.code or 0), said.out, said.err)

    return run


def test_init_writes_a_world_that_can_be_served_as_it_stands(preflight, tmp_path):
    code, out, err = preflight("world", "init")
    assert (code, err) == (0, "")
    assert "preflight emulator --world world.toml" in out
    found = World.load(tmp_path / "world.toml")
    assert [project.id for project in found.projects] == ["acme-analytics"]
    checked = preflight("world", "check", "world.toml")
    assert checked.code == 0
    assert "Worth a look" not in checked.out
    assert [path.name for path in tmp_path.iterdir()] == ["world.toml"]


def test_its_world_is_ready(preflight_world, preflight_run):
    preflight_world(TEMPLATE)
    run = preflight_run("--project", "acme-analytics", "--location", "EU", "--dataset", "heap_production")
    assert (run.exit_code, run.report["verdict"]) == (0, "pass")


def test_what_is_commented_out_in_it_can_be_put_in():
    offered = re.sub(r"^# (\w+ = )", r"\1", TEMPLATE, flags=re.MULTILINE)
    found = world(offered)
    assert found.callers[0].expired
    assert found.callers[0].kind == "service_account"
    assert found.projects[0].state == "DELETE_REQUESTED"
    assert found.projects[0].withheld == ("cloudbilling.projects.getBillingInfo",)
    assert found.projects[0].bindings[-1].condition is not None


def test_each_table_and_each_top_key_in_it_is_explained():
    lines = TEMPLATE.splitlines()
    headers = [at for at, line in enumerate(lines) if line.startswith("[[")]
    assert [lines[at] for at in headers if not lines[at - 1].startswith("# ")] == []
    comments = " ".join(line for line in lines if "#" in line)
    plain = {"email", "display_name", "members", "role", "id"}  # beside what explains their table
    keys = set(re.findall(r"^(\w+) =", TEMPLATE, re.MULTILINE)) - plain
    assert {key for key in keys if key not in comments} == set()


def test_init_writes_where_it_is_told(preflight, tmp_path):
    (tmp_path / "a folder").mkdir()
    code, out, _ = preflight("world", "init", "a folder")
    assert code == 0
    assert "--world 'a folder/world.toml'" in out
    assert (tmp_path / "a folder" / "world.toml").exists()
    assert preflight("world", "init", "mine.toml").code == 0
    assert "--world mine.toml" in (tmp_path / "mine.toml").read_text(encoding="utf-8")


def test_init_overwrites_by_force_only(preflight, tmp_path):
    mine = tmp_path / "world.toml"
    mine.write_text("# mine", encoding="utf-8")
    code, out, err = preflight("world", "init")
    assert (code, out) == (2, "")
    assert err.startswith("Error: 'world.toml' is there already.")
    assert "--force" in err
    assert mine.read_text(encoding="utf-8") == "# mine"
    assert preflight("world", "init", "--force").code == 0
    assert World.load(mine).projects
    assert [path.name for path in tmp_path.iterdir()] == ["world.toml"]


def test_init_leaves_nothing_behind_where_it_fails(preflight, tmp_path, monkeypatch):
    code, out, err = preflight("world", "init", "not/there/world.toml")
    assert (code, out) == (2, "")
    assert "not/there/world.toml" in err
    assert "No such file or directory" in err

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    code, out, err = preflight("world", "init")
    assert (code, out) == (2, "")
    assert "No space left on device" in err
    assert list(tmp_path.iterdir()) == []


def test_init_makes_a_file_that_others_may_read(preflight, tmp_path):
    before = os.umask(0o022)
    try:
        preflight("world", "init")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "world.toml").stat().st_mode) == 0o644


def test_list_names_the_demo_worlds(preflight):
    code, out, _ = preflight("world", "list")
    assert code == 0
    assert re.search(r"^ready +A project that is ready for Heap$", out, re.MULTILINE)
    assert len(out.splitlines()) == 2 + len(World.demos())


@pytest.mark.parametrize("name", World.demos())
def test_the_demo_worlds_can_be_checked_by_name(preflight, name):
    code, out, err = preflight("world", "check", name)
    assert (code, err) == (0, "")
    assert f"{name} can be served." in out
    assert "project       acme-analytics (ACTIVE) in folders/37373700000" in out


SMALL = '[[projects]]\nid = "a"\nnumber = "1"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param('[[projects]]\nid = "a"\n', ["w.toml", "number", "$.projects[0]"], id="key missing"),
        pytest.param(SMALL + 'sate = "x"', ["`sate`", "$.projects[0]", "Did you mean 'state'?"], id="misspelt"),
        pytest.param("[[project]]\n", ["`project`", "Did you mean 'projects'?"], id="misspelt at the top"),
        pytest.param(
            SMALL + '[[projects.bindings]]\nrole = "roles/x"\nmember = []',
            ["$.projects[0].bindings[0]", "Did you mean 'members'? Known: condition, members, role."],
            id="misspelt inside",
        ),
        pytest.param("[[projects]]\nid = 7\n", ["w.toml", "$.projects[0].id"], id="wrong type"),
        pytest.param("[[projects\n", ["w.toml", "not TOML", "line 1"], id="no TOML"),
        pytest.param(SMALL + SMALL, ["w.toml", "project id 'a' occurs twice"], id="twice"),
    ],
)
def test_a_wrong_world_is_one_sentence_that_names_file_and_key(preflight, tmp_path, text, words):
    (tmp_path / "w.toml").write_text(text, encoding="utf-8")
    for command in (("world", "check", "w.toml"), ("emulator", "--world", "w.toml")):
        code, out, err = preflight(*command)
        assert (code, out) == (2, ""), err
        assert err.startswith("Error: ")
        assert len(err.splitlines()) <= 2
        assert [word for word in words if word not in err] == [], err


@pytest.mark.parametrize(
    ("name", "says"),
    [
        pytest.param("redy", "Did you mean 'ready'?", id="misspelt"),
        pytest.param("no/such.toml", "There is no world 'no/such.toml'", id="no file"),
        pytest.param("empty", "neither a world file nor a folder", id="a folder without a world"),
        pytest.param("x" * 5000, "File name too long", id="too long"),
    ],
)
def test_what_is_no_world_is_told(preflight, tmp_path, name, says):
    (tmp_path / "empty").mkdir()
    code, out, err = preflight("world", "check", name)
    assert (code, out) == (2, "")
    assert says in err


def test_check_points_at_what_is_likely_not_meant(preflight, tmp_path):
    (tmp_path / "w.toml").write_text(
        '[[folders]]\nid = "2"\nparent = "organizations/1"\n'
        + SMALL
        + 'parent = "folders/2"\n[[projects.bindings]]\nrole = "roles/viewr"\nmembers = ["group:g@x.example"]\n',
        encoding="utf-8",
    )
    code, out, _ = preflight("world", "check", "w.toml")
    assert code == 0
    assert "organizations/1, the parent of folders/2, is not in the world" in out
    assert "roles/viewr on projects/1 grants nothing" in out
    assert "group:g@x.example on projects/1 has no [[groups]] entry" in out
    assert "Nobody can call" in out


def test_check_looks_at_the_grants_on_service_accounts_too(preflight, tmp_path):
    (tmp_path / "w.toml").write_text(
        '[[callers]]\nemail = "a@p.iam.gserviceaccount.com"\nkind = "service_account"\n'
        '[[callers.bindings]]\nrole = "roles/tokens"\nmembers = ["group:g@x.example"]\n',
        encoding="utf-8",
    )
    code, out, _ = preflight("world", "check", "w.toml")
    assert code == 0
    assert "roles/tokens on projects/-/serviceAccounts/a@p.iam.gserviceaccount.com grants nothing" in out
    assert "has no [[groups]] entry: nobody is in it" in out


def test_check_writes_nothing_that_acts_on_the_terminal(preflight, tmp_path):
    (tmp_path / "w.toml").write_text('[[groups]]\nemail = "\\u001b[31mred\\u001b]0;x\\u0007"\n', encoding="utf-8")
    code, out, _ = preflight("world", "check", "w.toml")
    assert code == 0
    assert "\x1b" not in out
    assert "\x07" not in out


def tables() -> set[type[msgspec.Struct]]:
    """Every kind of table that a world may hold."""
    found: set[type[msgspec.Struct]] = set()

    def visit(hint: typing.Any) -> None:
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct) and hint not in found:
            found.add(hint)
            for inner in typing.get_type_hints(hint).values():
                visit(inner)
        for inner in typing.get_args(hint):
            visit(inner)

    visit(World)
    return found


def sections() -> dict[str, dict[str, str]]:
    """The keys that the document tells of each table, with the default that it gives them."""
    told = {}
    for name, text in re.findall(r"^### (\w+)\n(.*?)(?=^##)", DOCUMENT, re.MULTILINE | re.DOTALL):
        told[name] = dict(re.findall(r"^\| `(\w+)` \| (.*?) ?\| .+ \|$", text, re.MULTILINE))
    return told


@pytest.mark.parametrize("kind", sorted({*tables(), worlds.Node}, key=str))
def test_the_document_tells_every_key_and_no_other(kind):
    base = set(worlds.Node.__struct_fields__) if issubclass(kind, worlds.Node) and kind is not worlds.Node else set()
    own = [field for field in msgspec.structs.fields(kind) if field.name not in base]
    told = sections()[kind.__name__]
    assert set(told) == {field.name for field in own}
    assert {name for name, default in told.items() if not default} == {f.name for f in own if f.required}
    for field in own:
        if field.default not in (msgspec.NODEFAULT, "", None) and isinstance(field.default, bool | str):
            shown = f'"{field.default}"' if isinstance(field.default, str) else str(field.default).lower()
            assert told[field.name] == f"`{shown}`"


def test_the_document_has_no_table_that_is_not_there():
    assert set(sections()) == {kind.__name__ for kind in tables()} | {"Node"}


def test_the_document_tells_every_fault():
    told = re.search(r"\| fault \|.*?\n\n", DOCUMENT, re.DOTALL)
    assert told is not None
    assert re.findall(r"^\| `(\w+)`", told[0], re.MULTILINE) == list(typing.get_args(faults.Kind))


@pytest.mark.parametrize("text", re.findall(r"^```toml\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL))
def test_the_document_s_worlds_do_what_it_says(text, preflight_world, preflight_run):
    cloud = preflight_world(text)
    account = "auditor@acme-analytics.iam.gserviceaccount.com"
    act_as = ("--impersonate-service-account", account) if "[[callers.bindings]]" in text else ()
    finding = preflight_run("--project", "acme-analytics", "--rule", "vendor-role", *act_as).finding("vendor-role")
    refused = {call.method for call in cloud.exchanges if call.status == 403}
    denied = {"cloudresourcemanager.projects.getIamPolicy"} if "deny" in text else set()
    assert denied <= refused
    assert finding["verdict"] == ("unknown" if denied else "fail")


def test_the_document_s_commands_are_there(preflight):
    for line in re.findall(r"^preflight (.*?)(?:  +#.*)?$", DOCUMENT, re.MULTILINE):
        words = line.split()
        command = words[: 2 if words[0] == "world" else 1]
        assert preflight(*command, "--help").code == 0
