"""Many projects in one document: written as the reports come, so that no more than one of them is held."""

import json
from collections.abc import Callable, Sequence
from typing import Protocol, assert_never

from preflight.errors import UsageError
from preflight.renderers import Format, fleet, render
from preflight.renderers.fleet import Row
from preflight.renderers.visible import visible
from preflight.report import Report


class Document(Protocol):
    """A document on many reports. The texts that come back, one after another, are the document."""

    def add(self, report: Report) -> str:
        """What is to be written now that this report is there; may be empty."""
        ...

    def end(self, rows: list[Row]) -> str:
        """The rest, given each report in a line. Ends in a newline."""
        ...


def document(form: Format, source: str, *, width: int = 160) -> Document:
    """An empty document. `source` is where the reports come from, for people; only the terminal heeds `width`."""
    match form:
        case Format.TERMINAL:
            return AtEnd(lambda rows, _: fleet.terminal(rows, width=width))
        case Format.JSON:
            return Json()
        case Format.MARKDOWN:
            return AtEnd(lambda rows, first: fleet.markdown(rows, first, source))
        case Format.HTML:
            from preflight.renderers.html.many import fleet_page

            return AtEnd(lambda rows, first: fleet_page(rows, first, source))
        case Format.SARIF | Format.GITHUB_SARIF:
            from preflight.renderers import sarif

            return sarif.Log(scanning=form is Format.GITHUB_SARIF)
        case Format.JUNIT:
            from preflight.renderers import junit

            return junit.Suites()
        case Format.GITHUB:
            from preflight.renderers import github

            return AtEnd(lambda rows, _: github.fleet(rows))
        case Format.GITHUB_SUMMARY:
            from preflight.renderers import github

            return AtEnd(lambda rows, first: github.fleet_summary(rows, first, source))
        case Format.GITLAB:
            from preflight.renderers import gitlab

            return gitlab.Issues()
        case Format.TICKET:
            raise UsageError(
                "A ticket is about one project.", "Name it with: preflight run --project ID --format ticket"
            )
        case _:
            assert_never(form)


def full_document(form: Format, *, colour: bool = False, width: int = 80, warnings: Sequence[str] = ()) -> Document:
    """An empty document that tells each report in full, for few of them; may end without any.

    `warnings` are sentences about all of it, which may come until the end. JUnit and GitLab have no place for them,
    and whoever looks at a terminal sees them on stderr.
    """
    match form:
        case Format.TERMINAL | Format.MARKDOWN | Format.GITHUB | Format.GITHUB_SUMMARY:
            return _InFull(form, colour=colour, width=width, warnings=warnings)
        case Format.HTML:
            from preflight.renderers.html.many import Pages

            return Pages(warnings)
        case _:
            return _OrNothing(form, warnings)


class _InFull:
    def __init__(self, form: Format, *, colour: bool, width: int, warnings: Sequence[str]) -> None:
        self._form, self._colour, self._width = form, colour, width
        self._warnings = warnings
        self._between = ""

    def add(self, report: Report) -> str:
        before, self._between = self._between, "" if self._form is Format.GITHUB else "\n"
        return before + render(report, self._form, colour=self._colour, width=self._width)

    def end(self, _rows: list[Row]) -> str:
        if self._form is Format.TERMINAL or not self._warnings:
            return ""
        if self._form is Format.GITHUB:
            from preflight.renderers import github

            return "".join(f"{github.warning(warning)}\n" for warning in self._warnings)
        from preflight.renderers.markdown import prose

        listed = "".join(f"- {prose(warning)}\n" for warning in self._warnings)
        return f"{self._between}### Warnings\n\n{listed}"


class _OrNothing:
    """A document for programs, which is a whole one also if there is no report."""

    def __init__(self, form: Format, warnings: Sequence[str]) -> None:
        self._form = form
        self._warnings = warnings
        match form:
            case Format.SARIF | Format.GITHUB_SARIF:
                from preflight.renderers import sarif

                self._document: Document = sarif.Log(scanning=form is Format.GITHUB_SARIF, warnings=warnings)
            case _:
                self._document = document(form, "")

    def add(self, report: Report) -> str:
        return self._document.add(report)

    def end(self, rows: list[Row]) -> str:
        if self._form is Format.JSON:
            told = json.dumps([visible(warning) for warning in self._warnings], indent=0, ensure_ascii=False)
            return f'{"" if rows else fleet.JSON_START}{fleet.JSON_WITH}"warnings": {told}\n}}\n'
        if rows:
            return self._document.end(rows)
        match self._form:
            case Format.SARIF | Format.GITHUB_SARIF:
                from preflight.renderers import sarif

                return sarif.nothing()
            case Format.JUNIT:
                from preflight.renderers import junit

                return junit.nothing()
            case _:
                return self._document.end(rows)


class AtEnd:
    """A document that can be written only when all reports are there, and is made of a line of each."""

    def __init__(self, written: Callable[[list[Row], Report], str]) -> None:
        """`written` gets the lines and the first report."""
        self._written = written
        self._first: Report | None = None

    def add(self, report: Report) -> str:
        """Nothing yet."""
        self._first = self._first or report
        return ""

    def end(self, rows: list[Row]) -> str:
        """All of it."""
        if self._first is None:
            raise AssertionError("a document of no reports")
        return self._written(rows, self._first)


class Json:
    """The JSON reports, one after another."""

    def __init__(self) -> None:
        self._before = fleet.JSON_START

    def add(self, report: Report) -> str:
        """The report."""
        from preflight.renderers import json_report  # pydantic comes with it

        return self.add_rendered(json_report.render(report))

    def add_rendered(self, report: str) -> str:
        """One that somebody else has rendered."""
        before, self._before = self._before, fleet.JSON_BETWEEN
        return before + report.rstrip("\n")

    def end(self, _rows: list[Row]) -> str:
        """What closes them."""
        return fleet.JSON_END
