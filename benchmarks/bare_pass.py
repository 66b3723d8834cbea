"""What reading an export costs whoever reads it: each line decoded, and nothing made of it.

python -m benchmarks.bare_pass msgspec|pydantic|json FILE
"""

import sys
from collections.abc import Callable
from typing import Any


def main(name: str, path: str) -> None:
    """Decodes each line; imports just the one decoder."""
    decode: Callable[[bytes], Any]
    if name == "msgspec":
        import msgspec

        decode = msgspec.json.Decoder().decode
    elif name == "pydantic":
        import pydantic_core

        decode = pydantic_core.from_json
    else:
        import json

        decode = json.loads
    with open(path, "rb") as file:  # noqa: PTH123 - as bare as can be
        for line in file:
            decode(line)


if __name__ == "__main__":
    main(*sys.argv[1:])
