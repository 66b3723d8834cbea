"""No text from outside becomes a command to the runner of a CI, which reads the log of its jobs.

Read as GitHub's runner does it (`ActionCommand.cs` in github.com/actions/runner): the newer form where a line begins,
blanks apart, the older one anywhere.
"""

import re

import pytest

from preflight.renderers import (
    Format,
    access_tree,
    access_wire,
    audit_csv,
    audit_markdown,
    audit_table,
    audit_wire,
    render,
)
from preflight.renderers.fleet import Row
from preflight.renderers.many import document
from tests.renderers.audits import hostile_audit, hostile_decisions
from tests.renderers.conftest import evil_report

NAMES = {"error", "warning", "notice"}
"""The commands that annotations are."""
COMMANDS = (
    "::stop-commands::x",
    "  ::error file=x::forged",
    "a\n::error::forged",
    "a\r::error::forged",
    "a\u2028::error::forged",
    "a ::add-mask::b",
    ":\u200b:error::forged",
    "##[add-mask]acme",
    "fine ##[error]forged",
    "###[error]forged",
    "##vso[task.setvariable variable=x]y",
)


def obeyed(text: str, allowed: frozenset[str] = frozenset()) -> list[str]:
    """The lines that the runner, or Azure's, takes for commands."""
    found = []
    for line in re.split(r"\r\n|[\n\r]", text):
        if line.strip().startswith("::"):
            if re.split(r"[ :]", line.strip().removeprefix("::"))[0] not in allowed:
                found.append(line)
        elif re.search(r"##(vso)?\[", line):
            found.append(line)
    return found


@pytest.fixture(params=COMMANDS, ids=ascii)
def command(request):
    return request.param


def test_the_runner_would_see_them():
    assert all(obeyed(text) for text in COMMANDS if "\u200b" not in text and not text.startswith(("a ", "a\u2028")))


@pytest.mark.parametrize("form", Format)
def test_in_no_format_of_a_report(form, command):
    allowed = frozenset(NAMES) if form is Format.GITHUB else frozenset()
    report = evil_report(command)
    assert obeyed(render(report, form), allowed) == []
    if form is Format.TICKET:
        return  # it is about one project
    many = document(form, command)
    written = many.add(report) + many.add(report) + many.end([Row.of(report), Row.of(report)])
    assert obeyed(written, allowed) == []


@pytest.mark.parametrize("width", [40, 80, 100])
def test_wherever_a_long_word_is_broken(width):
    for length in range(width + 2):
        report = evil_report("w" * length + "::stop-commands::x" + "y" * width)
        for colour in (False, True):
            text = render(report, Format.TERMINAL, colour=colour, width=width)
            assert obeyed(re.sub(r"\x1b\[\d*m", "", text)) == []


def test_in_no_format_of_an_audit_or_an_answer(command):
    made, decided = hostile_audit(command), hostile_decisions(command)
    for text in (
        *(audit_table.render(made, only_flagged=False, colour=False, width=width) for width in (40, 100)),
        *(form.render(made, only_flagged=False) for form in (audit_markdown, audit_csv, audit_wire)),
        *(access_wire.render(one) for one in decided),
        access_tree.markdown(decided),
        *(access_tree.render(decided, colour=False, width=width, box=True) for width in (40, 100)),
    ):
        assert obeyed(text) == []
