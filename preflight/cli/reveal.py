"""`preflight reveal`: turn the pseudonyms in an answer back into the names that they stand for, on the machine that
made them."""

import os
import re
from pathlib import Path
from typing import TextIO

import click

from preflight.cli.screen import warn
from preflight.errors import UsageError
from preflight.redaction import key

_LARGEST = 16 * 2**20
_PSEUDONYM = re.compile(r"\bx[_-][0-9a-f]{6,12}\b", re.IGNORECASE)


@click.command(name="reveal")
@click.argument("file", type=click.File("r", encoding="utf-8", errors="replace"), default="-")
@click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks.")
def command(file: TextIO) -> None:
    """Print FILE (or what is typed or piped in) with names in place of pseudonyms.

    Works where the bundle was written: what stands for what never leaves that machine.
    """
    text = file.read(_LARGEST)
    if text.startswith("PK"):
        raise UsageError("That is a bundle, not an answer.", "List what is in it with: preflight inspect FILE.zip")
    told = revealed(text, legend(key.home(os.environ)))
    click.echo(told, nl=False)
    if left := len(set(_PSEUDONYM.findall(told))):
        names = "1 pseudonym is" if left == 1 else f"{left} pseudonyms are"
        warn([f"{names} not known here: cut in two on the way, or made on another machine."])


def legend(folder: Path) -> dict[str, str]:
    """What stands for what. Raises UsageError where no bundle was written from here."""
    known = key.legend_in(folder)
    if not known:
        raise UsageError(
            f"No pseudonyms are known in '{folder}'.", "Run this where the bundle was written, as the same user."
        )
    return known


def revealed(text: str, known: dict[str, str]) -> str:
    """The text with names. What is no pseudonym of ours stays."""
    whole = re.compile("|".join(re.escape(one) for one in sorted(known, key=len, reverse=True)))
    return whole.sub(lambda match: known[match[0]], text)
