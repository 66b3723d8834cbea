"""A bundle to begin with: of the demo's tangled world."""

from pathlib import Path

GOOD = (Path(__file__).parent / "committed" / "1.0" / "tangled.zip").read_bytes()
