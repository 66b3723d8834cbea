"""How rules are found: a new file is a new rule, in the built-in folder, a named one, or a package's."""

import importlib.metadata
import subprocess
import sys
import zipfile

import pytest

from preflight.engine import load_rules
from preflight.errors import RuleError, UsageError
from preflight.plugins import plugin_folders
from preflight.profile import profile_files
from preflight.rulebook import plugin_rules, rules_in, select

GOOD = '''
"""Labels."""

from preflight import Billing, Severity, Verdict, passed, rule


@rule(title="TITLE", why="W.", severity=Severity.REQUIRED, since="0.1"MORE)
def judge(billing: Billing) -> Verdict:
    """Looks at labels."""
    return passed("fine", billing.seen("enabled"))
'''
load_rules_now = load_rules.__wrapped__


def written(folder, title="Labels are set", more="", name="dataset_labels.py", text=GOOD):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text.replace("TITLE", title).replace("MORE", more), encoding="utf-8")
    return folder


def test_a_new_file_is_a_new_rule(tmp_path):
    written(tmp_path, name="_helper.py", text="raise SystemExit")
    written(tmp_path, name="notes.txt", text="no Python")
    found = {rule.id: rule for rule in load_rules_now(written(tmp_path))}
    mine = found["dataset-labels"]
    assert (mine.title, mine.how, mine.after) == ("Labels are set", "Looks at labels.", ("project-active",))
    assert [(p.name, p.kind.__name__, p.maybe) for p in mine.parameters] == [("billing", "Billing", False)]
    assert len(found) == len(load_rules_now()) + 1


def test_two_folders_with_files_of_the_same_name(tmp_path):
    titles = [
        rules_in(written(tmp_path / place, title=place), "preflight_local_rules")[0].title for place in ("one", "two")
    ]
    assert titles == ["one", "two"]


def test_nothing_is_loaded_that_was_not_named(tmp_path, monkeypatch):
    monkeypatch.chdir(written(tmp_path, text="raise SystemExit"))
    assert "dataset-labels" not in {rule.id for rule in load_rules_now()}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("x = 1", "holds 0 rules", id="no rule"),
        pytest.param(GOOD + GOOD.replace("def judge", "def other"), "holds 2 rules", id="two rules"),
        pytest.param("def (", "SyntaxError", id="no Python"),
        pytest.param("import nowhere_at_all", "ModuleNotFoundError: No module named 'nowhere_at_all'", id="an import"),
        pytest.param("from preflight import Bilings", "cannot import name 'Bilings'", id="a name that isn't there"),
        pytest.param("1 / 0", "ZeroDivisionError", id="it raises"),
        pytest.param(GOOD.replace('    """Looks at labels."""\n', ""), "needs a docstring", id="no docstring"),
        pytest.param(GOOD.replace("TITLE", "Ensure labels"), "must state the good state", id="an order as title"),
        pytest.param(GOOD.replace("billing: Billing", "billing"), "parameter 'billing' has no type", id="no type"),
        pytest.param(GOOD.replace("billing: Billing", "billing: Severity"), "asks for Severity", id="no fact"),
    ],
)
def test_a_broken_file_is_refused_by_name(tmp_path, text, says):
    folder = written(tmp_path, text=text)
    with pytest.raises(RuleError) as caught:
        load_rules_now(folder)
    assert says in caught.value.message
    assert "dataset_labels" in caught.value.message.replace("-", "_")
    assert caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("more", "name", "says"),
    [
        ("", "vendor_role.py", "Two rules are named 'vendor-role'"),
        (', aliases=("vendor-role",)', "labels.py", "Two rules are named 'vendor-role'"),
        (', after=("vendor-rol",)', "labels.py", "'labels' comes after 'vendor-rol', which is not a rule"),
    ],
    ids=["an id of ours", "an alias of ours", "an unknown prerequisite"],
)
def test_a_folders_rules_fit_in_with_the_others(tmp_path, more, name, says):
    with pytest.raises(RuleError, match=says):
        load_rules_now(written(tmp_path, more=more, name=name))


def installed(folder, group, value):
    """A distribution as pip would leave it, with one entry point."""
    info = folder / "acme_rules-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-rules\nVersion: 1\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[{group}]\nacme = {value}\n", encoding="utf-8")
    return folder


def test_a_package_adds_rules_by_its_entry_point(tmp_path, monkeypatch):
    written(tmp_path / "acme_rules_one", name="__init__.py", text="")
    written(tmp_path / "acme_rules_one")
    monkeypatch.syspath_prepend(installed(tmp_path, "preflight.rules", "acme_rules_one"))
    assert [rule.id for rule in plugin_rules()] == ["dataset-labels"]
    assert "dataset-labels" in {rule.id for rule in load_rules_now()}


def test_a_package_adds_profiles_by_its_entry_point(tmp_path, monkeypatch):
    written(tmp_path / "acme_profiles", name="__init__.py", text="")
    written(tmp_path / "acme_profiles", name="acme.toml", text="")
    monkeypatch.syspath_prepend(installed(tmp_path, "preflight.profiles", "acme_profiles"))
    assert set(profile_files.__wrapped__()) == {"heap", "contentsquare", "acme"}


def as_egg_info(folder):
    """As `setup.py develop` leaves it."""
    (installed(folder, "preflight.rules", "acme_rules_two") / "acme_rules-1.dist-info").rename(folder / "acme.egg-info")
    return folder


def as_egg(folder):
    """As `setup.py install` left it."""
    egg = folder / "acme_rules-1.egg"
    written(egg / "acme_rules_two", name="__init__.py", text="")
    (installed(egg, "preflight.rules", "acme_rules_two") / "acme_rules-1.dist-info").rename(egg / "EGG-INFO")
    return egg


def as_archive(folder):
    """As zipapps and some build systems have it."""
    installed(folder, "preflight.rules", "acme_rules_two")
    archive = folder / "all.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in [*folder.glob("acme*/*")]:
            file.write(path, path.relative_to(folder))
    for path in [*folder.glob("acme*/*")]:
        path.unlink()
    return archive


@pytest.mark.parametrize("install", [as_egg_info, as_egg, as_archive], ids=lambda install: install.__name__)
def test_a_package_is_found_in_whatever_form_it_is_installed(tmp_path, monkeypatch, install):
    written(tmp_path / "acme_rules_two", name="__init__.py", text="")
    monkeypatch.syspath_prepend(install(tmp_path))
    assert [found.name for found in plugin_folders("preflight.rules")] == ["acme_rules_two"]


def test_a_package_is_found_by_a_finder_that_somebody_added(tmp_path, monkeypatch):
    written(tmp_path / "path" / "acme_rules_two", name="__init__.py", text="")
    monkeypatch.syspath_prepend(tmp_path / "path")
    elsewhere = installed(tmp_path, "preflight.rules", "acme_rules_two") / "acme_rules-1.dist-info"

    class Finder:
        def find_spec(self, *_):
            return None

        def find_distributions(self, _context):
            return [importlib.metadata.Distribution.at(elsewhere)]

    monkeypatch.setattr("sys.meta_path", [*sys.meta_path, Finder()])
    assert [found.name for found in plugin_folders("preflight.rules")] == ["acme_rules_two"]


def test_without_plugins_the_costly_look_up_is_left_out():
    asked = "from preflight.engine import load_rules; from preflight.profile import profile_files; import sys; "
    asked += "load_rules(); profile_files(); sys.exit('importlib.metadata' in sys.modules)"
    subprocess.run([sys.executable, "-c", asked], check=True)


@pytest.mark.parametrize("value", ["nowhere_at_all", "json.decoder"], ids=["nothing", "a module"])
def test_an_entry_point_that_names_no_package_is_refused(tmp_path, monkeypatch, value):
    monkeypatch.syspath_prepend(installed(tmp_path, "preflight.rules", value))
    with pytest.raises(RuleError, match=f"'acme' of preflight.rules names {value}, which is not a package"):
        plugin_folders("preflight.rules")


RULES = load_rules()


@pytest.mark.parametrize(
    ("only", "skip", "chosen"),
    [
        pytest.param((), (), [r.id for r in RULES if not r.on_request], id="all that are not on request"),
        pytest.param(("vendor-role", "billing-enabled"), (), ["billing-enabled", "vendor-role"], id="in their order"),
        pytest.param(("vendor-role", "vendor-role"), (), ["vendor-role"], id="the same twice"),
        pytest.param((), tuple(r.id for r in RULES[1:]), [RULES[0].id], id="all but"),
        pytest.param(("vendor-role", "jobs-create"), ("jobs-create",), ["vendor-role"], id="both"),
    ],
)
def test_selection(only, skip, chosen):
    assert [r.id for r in select(RULES, only, skip)] == chosen


def test_an_alias_selects_too(tmp_path):
    rules = load_rules_now(written(tmp_path, more=', aliases=("labels",)'))
    assert [r.id for r in select(rules, ("labels",))] == ["dataset-labels"]
    assert "dataset-labels" not in {r.id for r in select(rules, (), ("labels",))}


@pytest.mark.parametrize("option", ["only", "skip"])
def test_an_unknown_rule_is_refused_with_the_nearest_name(option):
    with pytest.raises(UsageError, match="There is no rule 'vendor-roll'") as caught:
        select(RULES, **{option: ("vendor-roll",)})
    assert caught.value.hint.startswith("Did you mean 'vendor-role'? Known: auditor-access, ")


def test_nothing_left_is_refused():
    with pytest.raises(UsageError, match="No rule is left"):
        select(RULES, ("vendor-role",), ("vendor-role",))
