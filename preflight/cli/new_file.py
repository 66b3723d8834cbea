"""The first files that `preflight world init` and `preflight config init` write: each whole, or not at all."""

import contextlib
import os
import tempfile
from pathlib import Path

from preflight.errors import OutputError, PreflightError


def write_new(path: Path, text: str, *, taken: PreflightError, otherwise: str, force: bool = False) -> None:
    """Writes a file. Raises `taken` where one is there, unless by `force`; OutputError, with what to do `otherwise`."""
    if not force and os.path.lexists(path):
        raise taken
    part = None
    try:
        descriptor, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:50]}.", suffix=".part")
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor, no path
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        mask = os.umask(0)  # mkstemp makes it private, and a first file is no secret
        os.umask(mask)
        Path(part).chmod(0o666 & ~mask)
        if force:
            Path(part).replace(path)
        else:
            _name_it(Path(part), path)
    except FileExistsError:
        raise taken from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        cause = error.strerror if isinstance(error, OSError) else "that is no valid path"
        raise OutputError(f"'{path}' cannot be written: {cause}.", otherwise) from error
    finally:
        if part is not None:
            with contextlib.suppress(OSError):
                Path(part).unlink(missing_ok=True)


def _name_it(part: Path, path: Path) -> None:
    """Gives the complete file its name, unless that was taken meanwhile: FileExistsError."""
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:  # not every file system has hard links
        part.replace(path)
