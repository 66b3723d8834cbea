"""The lines of an export, numbered: plain or gzip, JSON lines or one JSON document, and what is wrong with the file.

`gcloud asset export` writes one JSON object a line. `gcloud asset list --format=json` prints one array, and the API's
`assets.list` answers with `{"assets": […]}`: such a document is read whole, up to a size.
"""

import contextlib
import io
import os
import re
import stat
import zlib
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import msgspec

from preflight.errors import UsageError

LONGEST_LINE = 32 << 20
"""Longer lines are not read. An asset has a few megabytes at most."""
LARGEST_DOCUMENT = 256 << 20
"""A file that is one JSON document has to be read whole; larger ones have to come as JSON lines."""
_BLOCK = 1 << 18
_SEARCHED = 1 << 20
_GZIP = b"\x1f\x8b"
_ANSWER = re.compile(rb'\{\s*"(assets|readTime|nextPageToken)"')
"""How an answer of `assets.list` starts."""
_BOM = b"\xef\xbb\xbf"
_HOW = (
    "Make one with: gcloud asset export --organization=ORGANIZATION_ID --content-type=resource "
    "--output-path=gs://BUCKET/assets.json (see docs/assets.md)."
)


END = -1


class Fault(msgspec.Struct, frozen=True):
    """Something in the file that could not be read."""

    file: Path
    line: int
    """0: the file as a whole. END: where reading came to an end."""
    why: str


class _Inflated(io.RawIOBase):
    """A gzip file's content. What comes before a fault is given; the fault itself is kept for the end."""

    def __init__(self, file: io.RawIOBase) -> None:
        self._file = file
        self._inflate = zlib.decompressobj(wbits=31)
        self._rest = b""
        self.fault = ""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: "bytearray | memoryview", /) -> int:  # type: ignore[override]
        """Fills the buffer with what comes next; nothing after a fault."""
        while not self.fault:
            source = self._rest or self._file.read(_BLOCK) or b""
            self._rest = b""
            if self._inflate.eof:
                source = (self._inflate.unused_data + source).lstrip(b"\0")
                if not source:
                    return 0
                self._inflate = zlib.decompressobj(wbits=31)
            elif not source:
                self.fault = "the gzip file ends too early: it was cut"
                break
            try:
                data = self._inflate.decompress(source, len(buffer))
            except zlib.error as error:
                self.fault = f"the gzip file is damaged: {error}"
                break
            self._rest = self._inflate.unconsumed_tail
            if data:
                buffer[: len(data)] = data
                return len(data)
        return 0


class AssetLines:
    """A file's lines, in one pass. After it, `faults` holds what of the file itself could not be read."""

    _source: io.BufferedReader

    def __init__(self, path: Path) -> None:
        self.path = path
        self.faults: list[Fault] = []

    @contextlib.contextmanager
    def opened(self) -> Iterator[Iterable[tuple[int, bytes]]]:
        """The lines with their numbers; of one longer than may be, the beginning: see `skip`.

        Raises UsageError for what can't be an export at all.
        """
        with self._opened() as document:
            yield (
                self._elements() if document else enumerate(iter(partial(self._source.readline, LONGEST_LINE), b""), 1)
            )

    def skip(self, text: bytes) -> bool:
        """Whether a line was just the beginning of one that is too long; the rest of it is passed over."""
        if len(text) < LONGEST_LINE or text.endswith(b"\n"):
            return False
        while (more := self._source.readline(LONGEST_LINE)) and not more.endswith(b"\n"):
            pass
        return True

    def mentioning(self, *needles: bytes) -> Iterator[bytes]:
        """The lines that hold one of these, and perhaps others: what looks at each byte and at no line is quickest."""
        with self._opened() as document:
            if document:
                yield from (text for _, text in self._elements())
                return
            rest = b""
            while block := self._source.read1(_SEARCHED):
                whole = rest + block
                end = whole.rfind(b"\n") + 1
                yield from _lines_with(whole[:end], needles)
                rest = whole[end:]
                if len(rest) > LONGEST_LINE:
                    rest = b""
            yield from _lines_with(rest, needles)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[bool]:
        """Opens the file; tells whether it is one JSON document."""
        try:
            with self.path.open("rb", buffering=0) as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise UsageError(
                        f"'{self.path}' is not a regular file.", "Write the export to a file: it is read twice."
                    )
                inflated = _Inflated(file) if file.read(2) == _GZIP else None
                file.seek(0)
                self._source = io.BufferedReader(inflated or file, _BLOCK)
                yield self._start()
                if inflated and inflated.fault:
                    self.faults.append(Fault(self.path, END, inflated.fault))
        except OSError as error:
            why = (error.strerror or type(error).__name__).lower()
            raise UsageError(f"'{self.path}' can't be read: {why}.", "Check the path given with --assets.") from None

    def _start(self) -> bool:
        start = self._source.peek(_BLOCK)[:_BLOCK]
        if not start:
            raise UsageError(f"'{self.path}' is empty, or cut right after its start.", _HOW)
        if start[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            raise UsageError(
                f"'{self.path}' is UTF-16, as PowerShell writes it.",
                "Write it as UTF-8: … | Out-File -Encoding utf8 FILE.",
            )
        if start.startswith(_BOM):
            self._source.read(len(_BOM))
        text = start.removeprefix(_BOM).lstrip()
        if text[:1] not in {b"{", b"["}:
            raise UsageError(f"'{self.path}' is no Cloud Asset export: it doesn't start like JSON.", _HOW)
        return text[:1] == b"[" or text.partition(b"\n")[0].strip() == b"{" or bool(_ANSWER.match(text))

    def _elements(self) -> Iterator[tuple[int, bytes]]:
        text = self._source.read(LARGEST_DOCUMENT + 1)
        if len(text) > LARGEST_DOCUMENT:
            raise UsageError(
                f"'{self.path}' is one JSON document of more than {LARGEST_DOCUMENT >> 20} MB.",
                f"Turn it into JSON lines with: jq -c '.[]' FILE. {_HOW}",
            )
        at, number = 0, 1
        for item in self._items(text):
            element = bytes(item)
            found = text.find(element, at)
            number += text.count(b"\n", at, found)
            yield number, element
            number += element.count(b"\n")
            at = found + len(element)

    def _items(self, text: bytes) -> list[msgspec.Raw]:
        try:
            if text.lstrip()[:1] == b"[":
                return msgspec.json.decode(text, type=list[msgspec.Raw])
            document = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
            if "assets" in document:
                if bytes(document.get("nextPageToken", b'""')) not in {b'""', b"null"}:
                    self.faults.append(Fault(self.path, 0, "it is one page of several: it has a nextPageToken"))
                return msgspec.json.decode(document["assets"], type=list[msgspec.Raw])
            return [msgspec.Raw(text.strip())]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            why = str(error) or type(error).__name__
            raise UsageError(
                f"'{self.path}' starts like one JSON document and isn't one: {why}.",
                f"If it was cut, get it again. {_HOW}",
            ) from None


def _lines_with(text: bytes, needles: tuple[bytes, ...]) -> Iterator[bytes]:
    starts = dict[int, int]()
    for needle in needles:
        at = text.find(needle)
        while at >= 0:
            end = text.find(b"\n", at)
            end = len(text) if end < 0 else end
            starts[text.rfind(b"\n", 0, at) + 1] = end
            at = text.find(needle, end)
    for start in sorted(starts):
        yield text[start : starts[start]]
