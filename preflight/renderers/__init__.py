"""One module an output format, each a pure function from a Report to text; nothing here prints or writes."""

from enum import StrEnum
from typing import assert_never

from preflight.report import Report


class Format(StrEnum):
    """The output formats."""

    TERMINAL = "terminal"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"
    """One file with everything in it."""
    SARIF = "sarif"
    GITHUB_SARIF = "github-sarif"
    """SARIF as GitHub's code scanning takes it."""
    JUNIT = "junit"
    GITHUB = "github"
    """Annotations, as commands on stdout."""
    GITHUB_SUMMARY = "github-summary"
    """The page that sums up a job."""
    GITLAB = "gitlab"
    TICKET = "ticket"
    """Plain text, under 4,000 characters."""

    @property
    def suffix(self) -> str:
        """How the name of a file in this format ends."""
        return _SUFFIXES[self]


_SUFFIXES = {
    Format.TERMINAL: ".txt",
    Format.JSON: ".json",
    Format.MARKDOWN: ".md",
    Format.HTML: ".html",
    Format.SARIF: ".sarif",
    Format.GITHUB_SARIF: ".github.sarif",
    Format.JUNIT: ".xml",
    Format.GITHUB: ".github.txt",
    Format.GITHUB_SUMMARY: ".github.md",
    Format.GITLAB: ".gitlab.json",
    Format.TICKET: ".ticket.txt",
}


def render(report: Report, format: Format, *, colour: bool = False, width: int = 80) -> str:  # noqa: A002 - as the option
    """The report as text, ending in a newline. Only the terminal heeds `colour` and `width`.

    A format's module, and what it needs (pydantic, tabulate), is imported when the format is first used.
    """
    match format:
        case Format.TERMINAL:
            from preflight.renderers import terminal

            return terminal.render(report, colour=colour, width=width)
        case Format.JSON:
            from preflight.renderers import json_report

            return json_report.render(report)
        case Format.MARKDOWN:
            from preflight.renderers import markdown

            return markdown.render(report)
        case Format.HTML:
            from preflight.renderers.html import report as html_report

            return html_report.render(report)
        case Format.SARIF | Format.GITHUB_SARIF:
            from preflight.renderers import sarif

            return sarif.render(report, scanning=format is Format.GITHUB_SARIF)
        case Format.JUNIT:
            from preflight.renderers import junit

            return junit.render(report)
        case Format.GITHUB:
            from preflight.renderers import github

            return github.render(report)
        case Format.GITHUB_SUMMARY:
            from preflight.renderers import github

            return github.summary(report)
        case Format.GITLAB:
            from preflight.renderers import gitlab

            return gitlab.render(report)
        case Format.TICKET:
            from preflight.renderers import ticket

            return ticket.render(report)
        case _:
            assert_never(format)
