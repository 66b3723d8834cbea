"""Names in a bundle that try to be more than names: in every output they are there to see, and do nothing."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from preflight.cli import main
from preflight.renderers import Format
from preflight.renderers.visible import is_hidden
from tests.bundle import hostile
from tests.bundle.conftest import GOOD

LINK = "\x1b]8;;https://evil.example\x07here\x1b]8;;\x07"
TRICKS = {
    "a link of the terminal": LINK,
    "colours": "\x1b[2J\x1b[31mPASS",
    "another direction": "\u202eSSAP\u2066x\u2069",
    "a line of its own": "x\r\n\nPASS  everything",
    "a heading": "\n# READY\n",
    "a link": "[here](https://evil.example) ![x](https://evil.example/x.png) <https://evil.example>",
    "HTML": "<img src=https://evil.example/x onerror=alert(1)></pre><script>alert(1)</script>",
    "a table": "a | b |\n|---|\n`",
    "a command to a runner": "::error::x ##[error]x ##vso[task.setvariable variable=x]y",
    "a formula": '=HYPERLINK("https://evil.example")',
    "nothing to see": "\u200b\u2060\ufeff\u3164\x00",
}
FIXED = {"kind", "schema_version", "observed_at", "started_at", "finished_at", "redaction", "source", "api", "fact"}


def forged(value: Any, trick: str, key: str = "") -> Any:
    """The same with the trick in every text that may be anything."""
    if isinstance(value, dict):
        return {name: forged(inner, trick, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [forged(inner, trick, key) for inner in value]
    if isinstance(value, str) and key not in FIXED and not re.fullmatch(r"[A-Z_]+|roles/.*", value):
        return value + trick
    return value


def bundle(trick: str, path: Path) -> Path:
    files = hostile.unpacked(GOOD)
    snapshot, trace = json.loads(files["snapshot.json"]), json.loads(files["trace.json"])
    snapshot["facts"] = forged(snapshot["facts"], trick)
    # Its own name is what all is about: else nothing is found of it.
    snapshot["facts"]["project"]["id"] = "acme-analytics"
    trace["calls"] = [
        {**call, **{key: call[key] + trick for key in ("method", "resource", "outcome")}} for call in trace["calls"]
    ]
    changed = {"snapshot.json": json.dumps(snapshot).encode(), "trace.json": json.dumps(trace).encode()}
    path.write_bytes(hostile.honest({**files, **changed}))
    return path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    found = capsys.readouterr()
    assert end.value.code in {0, 1, 3, None}, found.err
    shown(found.err)
    return found.out


def shown(text: str) -> None:
    """Nothing in the text is hidden, and no line of it is a command to a runner."""
    assert [character for character in text if is_hidden(character) and character != "\n"] == []
    assert not re.search(r"^\s*::|##\w*\[", text, re.MULTILINE)


@pytest.fixture(params=list(TRICKS.values()), ids=list(TRICKS))
def forgery(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(bundle(request.param, tmp_path / "forged.zip"))


def test_inspect_shows_them(forgery: str, capsys: pytest.CaptureFixture[str]):
    shown(said(capsys, "inspect", forgery))


@pytest.mark.parametrize("form", list(Format))
def test_a_replay_shows_them(form: Format, forgery: str, capsys: pytest.CaptureFixture[str]):
    text = said(capsys, "run", "--snapshot", forgery, "--no-files", "--format", form.value)
    if form is Format.GITHUB:
        text = re.sub(r"^::\w+ .*?::", "", text, flags=re.MULTILINE)
    if form is Format.HTML:
        assert not re.search(r"<(?:img|script(?! nonce)|iframe)[^>]*evil", text)
        assert "<script>alert" not in text
        assert not re.search(r"""href=["']?https://evil""", text)
        return
    shown(text)
    if form in {Format.MARKDOWN, Format.GITHUB_SUMMARY}:
        harmless_markdown(text)


def test_a_comparison_shows_them(forgery: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "good.zip").write_bytes(GOOD)
    for form in ("terminal", "json", "markdown"):
        text = said(capsys, "diff", str(tmp_path / "good.zip"), forgery, "--format", form)
        shown(text)
        if form == "markdown":
            harmless_markdown(text)


def harmless_markdown(text: str) -> None:
    page = MarkdownIt("gfm-like").render(text)
    assert "<img" not in page
    assert "<script" not in page
    assert not re.search(r'href="(?!https://(?:console\.cloud|docs)\.google\.com/)[^"]*evil', page)
    assert "<h1>READY" not in page
