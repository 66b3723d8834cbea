"""What a type of Terraform is."""

from msgspec import Struct

from preflight.sources.terraform.hcl.syntax import Expr


class Type(Struct, frozen=True):
    """A type, or a constraint that allows several: `any` stands for whatever comes."""

    kind: str
    """any, string, number, bool, list, set, map, object or tuple."""
    element: "Type | None" = None
    """Of a list, set or map."""
    attributes: "dict[str, Type]" = {}
    """Of an object; a tuple's are named by their index."""
    optional: "dict[str, Expr | None]" = {}
    """The attributes of an object that may be missing, each with the expression of its default."""


ANY = Type("any")
STRING = Type("string")
NUMBER = Type("number")
BOOL = Type("bool")
