"""The page around a report: one file that asks nothing of anybody, under a policy which holds it to that."""

import base64
import hashlib
from functools import cache
from pathlib import Path

from preflight.renderers.html.markup import Content, Markup, element
from preflight.version import __version__

_SIGNS = {
    "pass": "M4 8.5 L7 11.5 L12.5 5",
    "fail": "M4.5 4.5 L11.5 11.5 M11.5 4.5 L4.5 11.5",
    "warn": "M8 3.5 L8 9 M8 12 L8 12.2",
    "unknown": "M5.6 6 C5.6 2.8 10.6 2.9 10.6 6 C10.6 8.2 8 8 8 10 M8 12.6 L8 12.8",
    "skip": "M4.5 8 L11.5 8",
}
"""Of each verdict. A colon is in no other ID of the page."""


def page(title: str, header: Content, main: Content) -> str:
    """The whole file. Style and script are in it; nothing else may act, and nothing may be loaded."""
    style, script = _part("page.css"), _part("page.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    head = [
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="generator", content=f"preflight {__version__}"),
        element("title", title),
        element("style", style),
    ]
    body = [
        element("svg", _signs(), class_="unseen", aria_hidden="true"),
        element("a", "Skip to the report", class_="jump", href="#page:report"),
        element("header", header, class_="top"),
        element("main", main, id="page:report", tabindex="-1"),
        element("footer", element("p", f"Made by preflight {__version__}. This file loads nothing and sends nothing.")),
        element("div", id="page:said", class_="unseen", role="status"),
        element("script", script),
    ]
    lines = [
        "<!doctype html>",
        Markup('<html lang="en">'),
        element("head", _lines(head)),
        element("body", _lines(body)),
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _signs() -> list[Markup]:
    return [
        element("symbol", element("path", d=drawn), id=f"sign:{name}", viewBox="0 0 16 16")
        for name, drawn in _SIGNS.items()
    ]


def _lines(parts: list[Markup]) -> Markup:
    return Markup("\n" + "\n".join(parts) + "\n")


@cache
def _part(name: str) -> Markup:
    return Markup(Path(__file__).with_name(name).read_text(encoding="utf-8"))


def _hash(part: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(part.encode("utf-8")).digest()).decode("ascii")
