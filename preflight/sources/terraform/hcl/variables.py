"""The values that a root's variables are given: environment, `.tfvars`, `--var` and `--var-file`, the later wins.

The order is Terraform's: `TF_VAR_*`, `terraform.tfvars`, `terraform.tfvars.json`, `*.auto.tfvars` and
`*.auto.tfvars.json` by name, then the command line's options in their order.
"""

from pathlib import Path

from msgspec import Struct

from preflight.sources.terraform.hcl.folder import without_mark
from preflight.sources.terraform.hcl.json_files import parse_json_body
from preflight.sources.terraform.hcl.kinds import Type
from preflight.sources.terraform.hcl.parsing import parse_body, parse_expression
from preflight.sources.terraform.hcl.reading import Reading
from preflight.sources.terraform.hcl.repository import UnreadableError
from preflight.sources.terraform.hcl.syntax import Expr, Literal, Source
from preflight.sources.terraform.resources import Omission, Place, Unsettled

_READABLE = "make it readable, or give its values with --var"


class Given(Struct, frozen=True):
    """A variable's value from outside: an expression, or the text of an option, whose reading hangs on the type."""

    source: Source
    expr: Expr | None = None
    text: str = ""
    unsettled: Unsettled | None = None
    """Why it can't be told which value it is."""

    def expression(self, of: Type, reading: Reading) -> Expr:
        """The value as an expression: an option's text is one where the type is no scalar."""
        if self.expr is not None:
            return self.expr
        if of.kind in {"string", "number", "bool", "any"}:
            return Literal(0, self.text)
        return parse_expression(self.text, self.source, reading.library.limits)


ANY_VARIABLE = "*"
"""Stands for every variable that isn't named."""


def given_values(reading: Reading) -> dict[str, Given]:
    """The values by variable. A file that can't be read or parsed is an omission, and any variable may be in it: what
    was given before counts no more, nor do defaults."""
    found: dict[str, Given] = {}
    environment = Source("TF_VAR_", b"")
    for name, value in reading.inputs.environment.items():
        if name.startswith("TF_VAR_"):
            source = Source(name, b"", pinned=Place(name))
            found[name.removeprefix(environment.file)] = Given(source, text=value)
    for file in _automatic(reading):
        _from_file(reading, file, found)
    for option in reading.inputs.given:
        if isinstance(option, Path):
            _from_file(reading, str(option), found)
        else:
            name, _, value = option.partition("=")
            place = Place(f"--var {name.strip()}")
            found[name.strip()] = Given(Source(place.file, b"", pinned=place), text=value)
    return found


def _automatic(reading: Reading) -> list[str]:
    try:
        names = reading.library.repository.names(reading.root)
    except UnreadableError:
        return []  # the folder's own omission tells
    first = [name for name in ("terraform.tfvars", "terraform.tfvars.json") if name in names]
    found = first + [name for name in names if name.endswith((".auto.tfvars", ".auto.tfvars.json"))]
    return [f"{reading.root}/{name}" for name in found]


def _from_file(reading: Reading, path: str, found: dict[str, Given]) -> None:
    repository = reading.library.repository
    shown = repository.shown(path)
    try:
        source = Source(shown, without_mark(repository.read(path)))
    except UnreadableError as error:
        _in_doubt(reading, found, Omission(f"{shown} was not read: {error}", _READABLE, Place(shown)))
        return
    if path.endswith(".json"):
        body, file = parse_json_body(source, repository.limits)
        broken, why = file.broken, file.why
    else:
        body, broken = parse_body(source, repository.limits)
        why = "it does not parse"
    if broken:
        # Its pieces aren't taken: `a = 1_000` leaves `a = 1`.
        _in_doubt(reading, found, Omission(f"{shown}: {why}", "correct the syntax", broken))
        return
    for name, attribute in body.attributes.items():
        found[name] = Given(source, attribute.expr)


def _in_doubt(reading: Reading, found: dict[str, Given], omission: Omission) -> None:
    reading.omit(omission)
    found.clear()
    why = f"{omission.why}, and it may give the variable a value"
    source = Source(omission.place.file, b"", pinned=omission.place)
    found[ANY_VARIABLE] = Given(source, unsettled=Unsettled(why, omission.settled_by, omission.place))
