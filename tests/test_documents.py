"""What the documents quote from the tool is what the tool says; the code in them runs."""

import re
import sys
from pathlib import Path

import pytest

from preflight.cli import main
from preflight.cli.demo import CALLER
from preflight.emulator import Emulator, World
from scripts.make_docs import documents

ROOT = Path(__file__).parent.parent


def test_generated_texts_are_what_the_tool_says_now():
    stale = [
        str(path.relative_to(ROOT))
        for path, text in documents().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    assert not stale, "run python scripts/make_docs.py"


def blocks(document: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.fixture
def rules_folder(tmp_path, monkeypatch):
    """A folder for rules of one's own; what they leave in memory is forgotten after the test."""
    folder = tmp_path / "my-rules"
    folder.mkdir()
    yield folder
    for name in [name for name in sys.modules if name.startswith("preflight_local_rules")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("document", "name", "says"),
    [
        pytest.param("README.md", "named_project", "it is called Acme Analytics", id="ten lines in the README"),
    ],
)
def test_a_documented_rule_runs_as_written(document, name, says, rules_folder, monkeypatch, capsys):
    (rules_folder / f"{name}.py").write_text(blocks(document)[0], encoding="utf-8")
    with Emulator(World.demo("ready")) as cloud:
        for key, value in cloud.environ(caller=CALLER).items():
            monkeypatch.setenv(key, value)
        with pytest.raises(SystemExit) as end:
            main(
                [
                    *("run", "--project", "acme-analytics", "--no-files"),
                    *("--rules-dir", str(rules_folder), "--rule", name.replace("_", "-")),
                ]
            )
    assert end.value.code == 0
    assert says in capsys.readouterr().out
