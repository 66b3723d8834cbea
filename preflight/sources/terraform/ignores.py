"""Comments in Terraform's files that say why a rule is not to count there: `# preflight:ignore[rule-id] reason`.

Such a comment is about the argument or block that begins on its line, or where it has a line for itself, on the next
one that is no comment.
"""

import os
import re
from collections.abc import Iterable, Iterator

from msgspec import Struct
from tree_sitter import Language, Parser
from tree_sitter import Node as TreeNode
from tree_sitter_hcl import language

from preflight.sources.terraform.hcl.folder import configuration_files
from preflight.sources.terraform.hcl.repository import Repository, UnreadableError
from preflight.sources.terraform.hcl.syntax import Source
from preflight.sources.terraform.resources import Place

_PARSER = Parser(Language(language()))
_MARK = b"preflight:ignore"
_FORM = re.compile(r"(?s)(?:#|//|/\*)\s*preflight:ignore(?:\[([^\]]*)\])?(.*?)(?:\*/)?\s*")


class Ignore(Struct, frozen=True):
    """One rule that is not to count in some lines of a file."""

    rule: str
    """Empty: it names none."""
    reason: str
    """Empty: it gives none, and doesn't count."""
    place: Place
    """Of the comment."""
    last: int
    """It is about the lines from its own to this one."""

    def covers(self, file: str, line: int) -> bool:
        """Whether it is about this line."""
        return file == self.place.file and self.place.line <= line <= self.last


def ignores_in(repository: Repository, folders: Iterable[str]) -> Iterator[Ignore]:
    """The comments in the files of these folders, in the order of the files. What can't be read has none."""
    for folder in sorted(folders):
        try:
            names = repository.names(folder)
        except UnreadableError:
            continue
        plain, overrides = configuration_files(names)
        for name in (*plain, *overrides):
            path = os.path.join(folder, name)  # noqa: PTH118 - as the reader of HCL has its paths
            try:
                data = repository.read(path)
            except UnreadableError:
                continue
            if _MARK in data and not name.endswith(".json"):
                yield from _in_file(Source(repository.shown(path), data))


def _in_file(source: Source) -> Iterator[Ignore]:
    ends: dict[int, int] = {}
    """The last line of the largest argument or block that begins on a line."""
    comments: list[TreeNode] = []
    busy: set[int] = set()
    """The lines with something that is no comment."""
    waiting = [_PARSER.parse(source.plain).root_node]
    while waiting:
        node = waiting.pop()
        first, last = node.start_point[0] + 1, node.end_point[0] + 1
        if node.type == "comment":
            comments.append(node)
            continue
        if node.type in {"attribute", "block"}:
            ends[first] = max(ends.get(first, 0), last)
        if not node.children:
            busy.update(range(first, last + 1) if last - first < _MOST_LINES else (first, last))
        waiting += node.children
    for comment in sorted(comments, key=lambda node: node.start_byte):
        text = source.data[comment.start_byte : comment.end_byte].decode("utf-8", "replace")
        if found := _FORM.fullmatch(text):
            line = comment.start_point[0] + 1
            about = line
            if line not in busy:
                below = comment.end_point[0] + 1
                about = min((one for one in busy if one > below), default=below)
            place = source.place(comment.start_byte)
            for rule in (found[1] or "").split(","):
                yield Ignore(rule.strip(), " ".join(found[2].split()), place, ends.get(about, about))


_MOST_LINES = 10_000
"""Of one text; a longer one counts by its ends."""
