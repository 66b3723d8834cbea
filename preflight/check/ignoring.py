"""What a repository wants left out of account, each with its reason: by a comment, or by its configuration."""

from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from preflight.errors import nearest
from preflight.renderers.places import places_of
from preflight.report import Finding, Left, Report
from preflight.sources.terraform.ignores import Ignore


class Ignores:
    """All comments of a run, and which of them were of use."""

    def __init__(self, found: Iterable[Ignore], rules: Iterable[str]) -> None:
        """`rules` are the ids that there are."""
        self._all = tuple(found)
        self._known = tuple(rules)
        self._used: set[Ignore] = set()
        self._partly: dict[Ignore, str] = {}

    def heeded(self, report: Report, left_out: Mapping[str, Left]) -> Report:
        """The report, in which what is ignored is skipped and doesn't count."""
        report = report.leaving_out(left_out)
        return replace(report, findings=tuple(self._heeded(finding) for finding in report.findings))

    def _heeded(self, finding: Finding) -> Finding:
        if not finding.is_trouble:
            return finding
        # What is missing has no line, and nothing can be written at it.
        places = [place for place in places_of(finding) if place.line and place.path.endswith((".tf", ".tofu"))]
        own = [one for one in self._all if one.rule == finding.rule and one.reason]
        covering = {
            place: next((one for one in own if one.covers(place.path, place.line or 0)), None) for place in places
        }
        used = [one for one in covering.values() if one is not None]
        if not used:
            return finding
        uncovered = next((place for place, one in covering.items() if one is None), None)
        if uncovered is not None:
            for one in used:
                self._partly[one] = f"{uncovered.path}:{uncovered.line}"
            return finding
        self._used.update(used)
        reason = "; ".join(dict.fromkeys(one.reason for one in used))
        return finding.ignoring(reason, str(used[0].place), in_source=True)

    def problems(self, judged: Iterable[str]) -> Iterator[str]:
        """What is wrong with comments, in sentences: after all reports are there. `judged` are the rules of which it
        can be said that a comment about them is unused."""
        known = frozenset(judged)
        for one in self._all:
            if not one.rule:
                yield f"{one.place}: preflight:ignore names no rule: write # preflight:ignore[rule-id] reason"
            elif one.rule not in self._known:
                yield f"{one.place}: there is no rule '{one.rule}' to ignore. {nearest(one.rule, self._known)}"
            elif not one.reason:
                yield f"{one.place}: the ignore of {one.rule} gives no reason, and does not count"
            elif one in self._used:
                continue
            elif one in self._partly:
                yield f"{one.place}: the ignore of {one.rule} does not count: it is also about {self._partly[one]}"
            elif one.rule in known:
                yield f"{one.place}: the ignore of {one.rule} is unused: nothing there is wrong by that rule"
