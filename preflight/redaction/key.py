"""The secret key of the pseudonyms, and the legends that tell what they stand for: both stay with the user."""

import contextlib
import hmac
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from preflight.errors import OutputError

HOME = "PREFLIGHT_HOME"
"""The variable that names another folder for what is kept of the user's."""
_BYTES = 32


def home(environ: Mapping[str, str]) -> Path:
    """The user's own folder for this tool: `$PREFLIGHT_HOME`, else as the system has it (`~/.config/preflight`)."""
    if chosen := environ.get(HOME):
        return Path(chosen)
    import click  # it knows where each system keeps such things

    return Path(click.get_app_dir("preflight"))


def key_in(folder: Path) -> bytes:
    """The key in the folder; made where there is none yet. Raises OutputError where that can't be done."""
    path = folder / "pseudonyms.key"
    try:
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            with _private_part(path, secrets.token_hex(_BYTES)) as part, contextlib.suppress(FileExistsError):
                os.link(part, path)  # unlike a rename it leaves alone what another run has made meanwhile
        return bytes.fromhex(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is damaged"
        raise OutputError(
            f"The key of the pseudonyms in '{path}' cannot be used: {why.lower()}.",
            f"Name another folder with {HOME}, or write without pseudonyms: --redact none.",
        ) from error


@contextlib.contextmanager
def _private_part(path: Path, text: str) -> Iterator[Path]:
    """A whole file with this text beside the path, for the user alone; nothing of it is left behind."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
        yield part
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def id_of(key: bytes) -> str:
    """What tells keys apart: says nothing of the key itself."""
    return hmac.digest(key, b"which key", "sha256").hex()[:16]


def remember(folder: Path, legend: Mapping[str, str]) -> Path:
    """Adds to what is known of pseudonyms. Raises OutputError."""
    path = folder / "legend.json"
    known = {**legend_in(folder), **legend}
    try:
        with _private_part(path, json.dumps(dict(sorted(known.items())), indent=1)) as part:
            part.replace(path)
    except OSError as error:
        raise OutputError(f"The legend cannot be written to '{path}': {(error.strerror or '').lower()}.") from error
    return path


def legend_in(folder: Path) -> dict[str, str]:
    """What is known of pseudonyms; nothing where no bundle was written yet. Raises OutputError for a damaged file."""
    path = folder / "legend.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise OutputError(
            f"The legend in '{path}' cannot be read.", "Move it away: the next bundle begins a new one."
        ) from error
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}
