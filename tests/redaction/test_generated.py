"""On generated snapshots: with pseudonyms each rule says the same, but for the names, and no name is left."""

import json
import os
import re
import shlex
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from hypothesis import Phase, given, settings

from preflight.bundle.contents import encoded
from preflight.engine import evaluate, load_rules
from preflight.facts.snapshot import FIELD_OF, Snapshot
from preflight.redaction.scan import refuse_names
from preflight.redaction.snapshot import redacted, refuse_changes
from preflight.report import Report, Verdict
from preflight.rulebook import select
from tests.rules.snapshots import Case, cases

EXAMPLES = 3000 if os.environ.get("PREFLIGHT_ORACLE") == "all" else 40
RULES = select(load_rules())
PLACEHOLDER = "YOU@EXAMPLE.COM"
KEY = b"a key of the tests"
WORD = re.compile(r"[\w@.:?=/-]+")


def snapshot_of(case: Case) -> Snapshot:
    known = {field for field in FIELD_OF.values() if field in case.facts}
    return Snapshot(
        source="live", finished_at=datetime(2026, 1, 2, tzinfo=UTC), **{field: case.facts[field] for field in known}
    )


def said(report: Report, renamed: Callable[[str], str] = str) -> dict[str, list[str]]:
    """All that is said of each rule in its words, without the order of what is listed in it."""
    found = {one.rule: WORD.findall(renamed(" ".join(texts(one.verdict)))) for one in report.findings}
    # The organization's number is 9 here: "and 9 more" is no name.
    return {rule: sorted(word for word in words if not word.isdigit()) for rule, words in found.items()}


def texts(verdict: Verdict) -> Iterator[str]:
    yield verdict.message
    for one in verdict.evidence:
        yield from (one.source, one.resource, one.detail)
    for remedy in verdict.remedies:
        yield from (remedy.summary, *remedy.commands, remedy.terraform or "", remedy.console_url or "")


@settings(max_examples=EXAMPLES, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(cases)
def test_each_rule_says_the_same_but_for_the_names(case: Case):
    seen = snapshot_of(case)
    clean = redacted(seen, case.target, case.profile, KEY)
    before = evaluate(RULES, seen, case.target, case.profile)
    after = evaluate(RULES, clean.snapshot, case.target, case.profile)
    refuse_changes(before, after)
    names = [name for found in clean.pseudonyms.replaced.values() for name in found]
    refuse_names({"snapshot.json": encoded(clean.snapshot)}, names)
    assert clean.snapshot == redacted(seen, case.target, case.profile, KEY).snapshot

    def renamed(text: str) -> str:
        for old, new in sorted(clean.conditions.items(), key=lambda pair: -len(pair[0])):
            for written in (str, shlex.quote, json.dumps):
                text = text.replace(written(old), written(new))
        # What a command leaves for its reader to fill in is nobody's name.
        return clean.pseudonyms.text(text.replace(PLACEHOLDER, "you")).replace("user:you", f"user:{PLACEHOLDER}")

    now, then = said(after), said(before, renamed)
    assert [(rule, set(now[rule]) ^ set(then[rule])) for rule in now if now[rule] != then[rule]] == []
