"""The report as JSON, schema version 1: for scripts, CI jobs and support desks."""

import json
import re

from preflight.renderers import wire
from preflight.renderers.visible import is_hidden, is_plain
from preflight.report import Report

_OBEYED = re.compile(r"##(?=\w*\[)")
"""By a CI's runner, wherever it stands; the other form, `::` in front, can't be in front in JSON."""


def render(report: Report) -> str:
    r"""The report as indented JSON.

    It is readable and safe to print: characters that a terminal, a reader or a CI's runner would take for something
    else are written as JSON's own `\u` escapes, so that nothing is lost.
    """
    return document(wire.from_report(report))


def document(model: wire.Model) -> str:
    """Anything that is published, as such JSON."""
    return _OBEYED.sub(r"#\\u0023", _with_hidden_escaped(model.model_dump_json(indent=2))) + "\n"


def schema() -> str:
    """The JSON Schema of the report, as it is published."""
    return json.dumps(wire.schema(), indent=2, ensure_ascii=False) + "\n"


def _with_hidden_escaped(document: str) -> str:
    # Outside of strings a JSON document has nothing hidden but the line breaks of its indentation.
    if is_plain(document.replace("\n", "")):
        return document
    return "".join(_escaped(c) if c != "\n" and is_hidden(c) else c for c in document)


def _escaped(character: str) -> str:
    # json leaves DEL, the one hidden character of ASCII that it may leave, as it is.
    return json.dumps(character)[1:-1] if character != "\x7f" else "\\u007f"
