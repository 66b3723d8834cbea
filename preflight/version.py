"""The version is a constant: to ask the installed metadata costs half of what the command line costs."""

__version__ = "0.1.0"
