"""Reads the files that worlds are made of. Whatever can't be read is a `WorldError` that names the file."""

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec


class WorldError(ValueError):
    """A world that can't be served; the message names the file and the key."""


def read_toml(path: Path) -> dict[str, Any]:
    """A world file as it is, not yet checked."""
    try:
        found: dict[str, Any] = msgspec.toml.decode(path.read_bytes())
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WorldError(f"{path}: not TOML: {error}") from error
    except OSError as error:
        raise WorldError(f"{path}: {error.strerror}") from error
    return found


def read_json(path: Path) -> Any:
    """A recorded answer, compressed or not; None if there is no such file."""
    try:
        raw = path.read_bytes()
        return json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError) as error:
        raise WorldError(f"{path}: {error}") from error
