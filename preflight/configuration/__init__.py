"""What a repository says of itself: `preflight.toml`, or `[tool.preflight]` in `pyproject.toml`.

`model` is its form, `files` finds and reads it, `lines` knows where in the file each key stands.
"""
