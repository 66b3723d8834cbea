"""A check as its user meets it, in a repository of its own."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from preflight.check.repository import Check, Options
from preflight.report import Finding, Report
from tests.check.repos import Files, write

Checked = Callable[..., "Outcome"]


class Outcome:
    """What a check said."""

    def __init__(self, reports: list[Report], warnings: list[str]) -> None:
        self.reports = reports
        self.warnings = warnings

    @property
    def report(self) -> Report:
        (one,) = self.reports
        return one

    def of(self, rule: str) -> Finding:
        (found,) = [finding for finding in self.report.findings if finding.rule == rule]
        return found

    def places(self, rule: str) -> list[str]:
        return [evidence.resource for evidence in self.of(rule).verdict.evidence]

    def answers(self, status: str) -> set[str]:
        return {finding.rule for finding in self.report.findings if finding.status == status}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in [name for name in os.environ if name.startswith("TF_")]:
        monkeypatch.delenv(name)
    return folder


@pytest.fixture
def checked(repository: Path) -> Checked:
    """Checks a repository of these files: `checked(files, only=…)`."""

    def check(files: Files, **options: object) -> Outcome:
        write(repository, files)
        return check_again(repository, **options)

    return check


def check_again(_repository: Path, **options: object) -> Outcome:
    check = Check(Options(**options))  # type: ignore[arg-type]
    reports = list(check.reports())
    return Outcome(reports, check.warnings)
