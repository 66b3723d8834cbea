"""Functions and operators, one expression at a time, against what Terraform 1.11 answered.

`function_cases.json` holds expressions and Terraform's answers; those marked `unsettled` we leave open on purpose.
Where there is a terraform binary, all of them are asked again.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from preflight.sources.terraform.hcl.functions import FUNCTIONS
from preflight.sources.terraform.hcl.reader import read_root
from preflight.sources.terraform.resources import Unsettled

CASES = json.loads(Path(__file__).with_name("function_cases.json").read_text(encoding="utf-8"))
TERRAFORM = shutil.which("terraform")
REFUSED = ["refused"]
LOCALS = 'locals {\n  key = "the-key"\n  list = ["a"]\n  template = "x is $${x}"\n}\n'
FILES = {
    "data.txt": "some text\n",
    "sub/a.txt": "",
    "sub/deep/b.md": "",
    "sub/c.csv": "",
    "t.tpl": "a ${x ~}\n\n   b\n%{ for k in names ~}\n- ${k}\n%{ endfor ~}\nend\n",
}
IN_THE_LANGUAGE = {"try", "can", "templatefile", "templatestring"}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("functions")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    blocks = (
        f'resource "terraform_data" "c{at}" {{\n  input = {{ v = try([{expression}], ["refused"]) }}\n}}\n'
        for at, expression in enumerate(CASES)
    )
    (folder / "main.tf").write_text(LOCALS + "".join(blocks), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def ours(root):
    declared = read_root(root, root)
    return [one.values["input"]["v"] for one in declared.resources]


@pytest.mark.parametrize(("at", "expression"), list(enumerate(CASES)), ids=list(CASES))
def test_as_terraform_answers(at, expression, ours):
    case = CASES[expression]
    found = ours[at][0] if isinstance(ours[at], list) else ours[at]
    if case.get("unsettled"):
        assert isinstance(found, Unsettled)
    else:
        assert ours[at] == (REFUSED if case.get("refused") else [case["value"]])
        assert json.dumps(ours[at]) == json.dumps(REFUSED if case.get("refused") else [case["value"]])  # true is not 1


def test_few_are_left_open():
    assert sum(bool(case.get("unsettled")) for case in CASES.values()) <= 0.06 * len(CASES)


def test_each_function_has_a_case():
    named = set(re.findall(r"\b([a-z0-9]+)\(", " ".join(CASES)))
    assert (FUNCTIONS.keys() | IN_THE_LANGUAGE) - named == {"sensitive"}


def test_sensitive_values_are_kept_nowhere(value):
    found = value('sensitive("hunter2")')
    assert isinstance(found, Unsettled)
    assert found.sensitive
    assert "hunter2" not in repr(found)


def test_a_function_that_is_not_known_is_unsettled(value):
    found = value('try(provider::acme::guess("x"), "fallback")')
    assert isinstance(found, Unsettled)
    assert "provider::acme::guess()" in found.why


@pytest.mark.skipif(TERRAFORM is None, reason="there is no terraform binary to compare with")
def test_terraform_still_answers_so(root):
    (root / "terraformrc").touch()
    environ = {"HOME": str(root), "TF_CLI_CONFIG_FILE": str(root / "terraformrc"), "CHECKPOINT_DISABLE": "1"}
    for command in (["init"], ["plan", "-out", "plan"], ["show", "-json", "plan"]):
        done = subprocess.run(
            [str(TERRAFORM), *command], cwd=root, env=environ, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr[-2000:]
    changes = {one["address"]: one["change"]["after"] for one in json.loads(done.stdout)["resource_changes"]}
    for at, (expression, case) in enumerate(CASES.items()):
        theirs = changes[f"terraform_data.c{at}"]["input"]["v"]
        assert theirs == (REFUSED if case.get("refused") else [case["value"]]), expression
