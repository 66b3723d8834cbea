"""preflight.toml: found where it should be, read strictly, and wrong ones told with their line."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preflight.configuration.files import find_configuration, read_configuration, repository_of
from preflight.configuration.lines import lines_of
from preflight.configuration.model import Configuration, Part, json_schema
from preflight.configuration.template import TEMPLATE
from preflight.errors import ConfigurationError

GOOD = """\
# A comment with [brackets] and "quotes
[projects.acme-analytics]
profile = "heap"
dataset = "heap_production"
location = "EU"
owns = [
  "api",  # ] no end
  "iam",
]
skip.dataset-name = "as the vendor asked"

[[roots]]
path = "envs/a"
[roots.vars]
text = \"\"\"
] not = "a key"
\"\"\"
list = ["a", "b"]

[[roots]]
path = "envs/b"
var-files = ["b.tfvars"]
"""


def written(folder: Path, text: str, name: str = "preflight.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_all_of_it_is_read_with_its_lines(tmp_path):
    found = read_configuration(written(tmp_path, GOOD))
    project = found.content.projects["acme-analytics"]
    assert project.owns == (Part.API, Part.IAM)
    assert project.skip == {"dataset-name": "as the vendor asked"}
    first, second = found.content.roots
    assert first.given == ('text=] not = "a key"\n', 'list=["a", "b"]')
    assert second.var_files == ("b.tfvars",)
    assert found.line("projects", "acme-analytics") == 2
    assert found.line("projects", "acme-analytics", "owns") == 6
    assert found.line("projects", "acme-analytics", "skip", "dataset-name") == 10
    assert found.line("roots", 0, "vars", "list") == 18
    assert found.line("roots", 1, "path") == 21
    assert found.line("projects", "acme-analytics", "principal") == 2, "what isn't there has its table's line"


def test_the_same_in_pyproject_toml(tmp_path):
    text = '[project]\nname = "x"\n\n[tool.preflight.projects.acme-analytics]\nlocation = "EU"\n'
    found = read_configuration(written(tmp_path, text, "pyproject.toml"))
    assert found.content.projects["acme-analytics"].location == "EU"
    assert found.line("projects", "acme-analytics", "location") == 5


PROJECT = "[projects.acme-analytics]\n"


@pytest.mark.parametrize(
    ("text", "line", "says", "hint"),
    [
        pytest.param(PROJECT + "\nlocalton = 'EU'", 3, "no key 'localton'", "'location'", id="typo"),
        pytest.param("[project.acme-analytics]", 1, "no key 'project'", "'projects'", id="typo of a table"),
        pytest.param("rules = []\n[[roots]]\npth = 'a'", 3, "no key 'pth'", "'path'", id="typo in a list of tables"),
        pytest.param(PROJECT + "owns = ['iam', 'apis']", 2, "'apis' is none", "'api'", id="typo of a value"),
        pytest.param(PROJECT + "location = 3", 2, "expected a text, got a number", "schema", id="another type"),
        pytest.param(PROJECT + "dataset = ''", 2, "a text that is not empty", "schema", id="empty"),
        pytest.param("\n[projects.Acme]", 2, "'Acme' is not a project ID", "6 to 30", id="no project's ID"),
        pytest.param(PROJECT + "principal = 'x'", 1, "'x' is not a principal", "schema", id="no principal"),
        pytest.param("[[roots]]\npath = 'a'\nvars.x = 2020-01-01", 1, "'x' is a date", "schema", id="a date"),
        pytest.param("[[roots]]\nworkspace = 'a'", 1, "missing required field path", "schema", id="something missing"),
        pytest.param("a = 1\n[b\n", 2, "", "syntax", id="no TOML"),
        pytest.param("a = [", None, "", "syntax", id="no TOML at its end"),
        pytest.param("a = " + "[" * 5000, None, "", "syntax", id="too deep"),
        pytest.param("skip.x = 'a'\nskip.x = 'b'\n", 2, "Cannot overwrite", "syntax", id="twice"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path, text, line, says, hint):
    path = written(tmp_path, text)
    with pytest.raises(ConfigurationError) as error:
        read_configuration(path)
    place = f"{path}:{line}:" if line else str(path)
    assert error.value.message.startswith(place)
    assert says in error.value.message
    assert hint in error.value.hint


def test_what_cannot_be_read_is_told(tmp_path):
    for name, data in (("binary.toml", b"\xff\xfe"), ("large.toml", b"#" * 1_000_001)):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ConfigurationError):
            read_configuration(tmp_path / name)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_configuration(tmp_path / "none.toml")
    with pytest.raises(ConfigurationError, match=r"no \[tool.preflight\]"):
        read_configuration(written(tmp_path, "", "pyproject.toml"))


def test_the_nearest_one_up_to_the_repository_is_found(tmp_path):
    outside = written(tmp_path, "")
    repository = tmp_path / "repo"
    deep = repository / "a" / "b"
    deep.mkdir(parents=True)
    (repository / ".git").mkdir()
    assert repository_of(deep) == repository
    assert find_configuration(deep) is None, f"{outside} is another's"
    shared = written(repository, "[tool.preflight]\n", "pyproject.toml")
    assert find_configuration(deep) == shared
    written(repository / "a", "[tool.other]\n", "pyproject.toml")
    assert find_configuration(deep) == shared, "a pyproject.toml about something else is none"
    own = written(repository, "")
    assert find_configuration(deep / "main.tf") == own
    near = written(repository / "a", "")
    assert find_configuration(deep) == near


def test_without_a_repository_just_the_folder_counts(tmp_path):
    own = written(tmp_path, "")
    assert find_configuration(tmp_path) == own
    (tmp_path / "a").mkdir()
    assert find_configuration(tmp_path / "a") is None


def test_the_schema_takes_what_is_read(tmp_path):
    schema = json.loads(json_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(tomllib.loads(GOOD), schema)
    for wrong in ("localton = 1", "[projects.acme-analytics]\nowns = ['all']", "[[roots]]\n"):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(tomllib.loads(wrong), schema)


def test_the_template_is_a_configuration_with_and_without_its_examples(tmp_path):
    assert read_configuration(written(tmp_path, TEMPLATE)).content == Configuration()
    lines = [line[1:] if line[:1] == "#" and line[1:2] not in {" ", ""} else line for line in TEMPLATE.splitlines()]
    found = read_configuration(written(tmp_path, "\n".join(lines))).content
    assert found.projects["acme-analytics"].owns == tuple(Part)
    assert found.roots[0].given == ("region=EU",)


KEYS = st.text("ab-_1\"'. #[]", min_size=1, max_size=4).map(json.dumps)
VALUES = st.recursive(
    st.sampled_from(["1", "true", '"]"', "'#['", '"""\n[x]\n"""', "'''\na = 1'''", '"\\"["', '"""a""""', "1979-05-27"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: "[" + ",\n# ]\n".join(items) + "]")
        | st.lists(inner, max_size=2).map(
            lambda items: "{" + ", ".join(f"k{n} = {i}" for n, i in enumerate(items)) + "}"
        )
    ),
    max_leaves=4,
)


@given(st.lists(st.tuples(KEYS, VALUES, st.booleans(), st.integers(0, 2)), max_size=5, unique_by=lambda one: one[0]))
def test_each_key_has_the_line_on_which_it_was_written(statements):
    lines: list[str] = []
    expected: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for key, value, begins, blanks in statements:
        lines += ["# [c]"] * blanks
        if begins:
            table = (json.loads(key),)
            expected.setdefault(table, len(lines) + 1)
            lines.append(f"[{key}]")
        else:
            expected[*table, json.loads(key)] = len(lines) + 1
            lines += f"{key} = {value}".split("\n")
    text = "\n".join(lines)
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return  # a line break where an inline table takes none
    found = lines_of(text)
    assert expected.items() <= found.items()
