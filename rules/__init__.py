"""The built-in rules, one file each, and the vendors' profiles."""
