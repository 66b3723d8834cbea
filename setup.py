"""The part of packaging that pyproject.toml can't say: found packages and the mapped one together."""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["preflight", "preflight.*"]), "preflight.rules"])
