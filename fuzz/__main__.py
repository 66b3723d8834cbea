"""`make fuzz`: bundles that are broken at random, with an eye on what code they reach, for a minute.

Anything that is raised and is no error of ours ends it, and leaves the input in a file.
"""

import sys
import tempfile
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import atheris

with atheris.instrument_imports(include=["preflight"]):
    from fuzz.recipes import Choices, changed, seeds, used

GOOD = seeds()
WHOLE = []
for one in GOOD:
    with ZipFile(BytesIO(one)) as archive:
        WHOLE.append({name: archive.read(name) for name in archive.namelist()})
counts = {"tried": 0, "read": 0}


def try_one(data: bytes) -> None:
    """One input: a file as it is, or what to change in a good one."""
    if data[:1] == b"P":
        read = used(data)
    else:
        choices = Choices(data[1:])
        read = used(changed(WHOLE[choices.of(len(WHOLE))], choices))
    counts["tried"] += 1
    counts["read"] += read
    if counts["tried"] % 500 == 0:
        print(f"{counts['tried']} tried, {counts['read']} of them read and judged", flush=True)


def main() -> None:
    """Begins with the committed bundles, unless folders with others are named."""
    with tempfile.TemporaryDirectory() as folder:
        for number, data in enumerate(GOOD):
            Path(folder, f"{number}.zip").write_bytes(data)
            Path(folder, f"{number}.recipe").write_bytes(bytes([0, 0, number, *range(1, 40)]))
        atheris.Setup([*sys.argv, "-max_len=20000", "-rss_limit_mb=2048", "-timeout=20", folder], try_one)
        atheris.Fuzz()


main()
