"""How much the reader of HCL does before it says that it can't tell: each limit has a name, and none is silent.

Terraform itself has none of these limits. They are far above what people write, and low enough that hostile input
ends in seconds and in some ten megabytes.
"""

from msgspec import Struct


class Limits(Struct, frozen=True):
    """The limits of one read. Past one of them a value is `Unsettled`, or a file or module an `Omission`."""

    file_bytes: int = 2_000_000
    """Of one file that is read, be it HCL or the subject of `file()`."""
    files: int = 2_000
    """Of one folder."""
    folders: int = 50_000
    """That a search for roots looks at."""
    nesting: int = 100
    """How deep expressions and blocks are nested in the text."""
    depth: int = 400
    """How deep one value leads to another: a local to a variable to a module's output, and so on."""
    module_depth: int = 20
    """How deep modules call modules."""
    modules: int = 5_000
    """Module instances in all."""
    instances: int = 1_000
    """Of one block, by `count` or `for_each`."""
    steps: int = 3_000_000
    """Of evaluation in all; about five seconds. An instance of a resource costs `instance_steps`."""
    instance_steps: int = 50
    text: int = 2_000_000
    """Characters of one string."""
    elements: int = 20_000
    """Of one collection."""
    parts: int = 200_000
    """Of one value, however they are nested: what is in it twice counts twice."""
    regex_work: int = 10_000_000
    """The most steps that a regular expression may be expected to take."""


LIMITS = Limits()
