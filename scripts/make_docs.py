"""Makes what the documents quote from the tool: the rule reference, the example report, schemas, excerpts.

    python scripts/make_docs.py            writes them
    python scripts/make_docs.py --check    exits 1 and names those that differ

All come from real runs on the stand-in's demo worlds, with the time of each observation set to one moment.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from preflight.access.from_snapshot import audit_of
from preflight.bundle.contents import VERSION, Manifest, StoredSnapshot, Trace, schema_text
from preflight.cli import access, audit
from preflight.cli.demo import ASKED, CALLER, STORIES
from preflight.cli.judging import judge
from preflight.cli.request import Request
from preflight.cli.source import LiveOptions, collect_live
from preflight.configuration.model import json_schema
from preflight.emulator import Emulator, World
from preflight.engine import load_rules, needed_facts
from preflight.facts.methods import methods_for
from preflight.profile import load_profile
from preflight.renderers import Format, access_tree, access_wire, audit_table, audit_wire, diff_wire, render
from preflight.report import Report, Status
from preflight.rulebook import Rule
from preflight.target import parse_target

ROOT = Path(__file__).parent.parent
MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EXCERPT = "<!-- excerpt: {}; kept by scripts/make_docs.py -->\n"
END = "<!-- end of excerpt -->"
BROKEN, AUDIT, ACCESS = "the demo's broken project", "the audit of the demo's tangled project", "one question about it"
EXCERPT_LINES = 47
IN_BUNDLES: dict[str, type[Struct]] = {"bundle": Manifest, "snapshot": StoredSnapshot, "trace": Trace}
"""Bundles are kept for long: what fitted these schemas fits them for ever."""


def demo_report(world: str, *only: str) -> Report:
    """A run on a demo world, at MOMENT, of all rules or only these."""
    request = Request(project="acme-analytics", location="EU", dataset="heap_production", only=only, output_dir=None)
    with Emulator(World.demo(world)) as cloud:
        report: Report = _at_moment(judge(request, cloud.environ(caller=CALLER)))
    return report


def _at_moment(value: Any) -> Any:
    if isinstance(value, datetime):
        return MOMENT
    if isinstance(value, tuple):
        return tuple(_at_moment(item) for item in value)
    if isinstance(value, dict):
        return {key: _at_moment(item) for key, item in value.items()}
    if isinstance(value, Struct):
        return replace(value, **{name: _at_moment(getattr(value, name)) for name in value.__struct_fields__})
    return value


def demo_audit() -> tuple[str, str]:
    """The audit of the tangled world, its table alone, and the answer to the question that the demo asks."""
    principal, permission, dataset = ASKED
    question = access.parse_question(principal, permission, "acme-analytics", dataset, None)
    profile = load_profile("heap")
    target = parse_target(profile, "acme-analytics")
    asked = replace(target, principal=principal, dataset=dataset)
    with Emulator(World.demo("tangled")) as cloud:
        environ = cloud.environ(caller=CALLER)
        whole, _ = collect_live(LiveOptions(whole=True), profile, target, audit.WANTED, environ)
        wanted = access.WANTED | access.IN_DATASETS
        seen, _ = collect_live(LiveOptions(), profile, asked, wanted, environ)
    table = audit_table.render(audit_of(_at_moment(whole), target), width=110).split("\n\n")
    decision = access.decided(question, _at_moment(seen), asked)
    tree = access_tree.render([decision], width=110)
    return "\n\n".join([*table[:2], "[...]", *table[-2:]]).rstrip("\n"), tree.rstrip("\n")


def documents() -> dict[Path, str]:
    """Every generated text by its file."""
    reports = {world: demo_report(world) for world in STORIES}
    broken = reports["broken"]
    lines = render(broken, Format.TERMINAL, width=100).rstrip("\n").splitlines()
    table, tree = demo_audit()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    excerpts = {
        BROKEN: "\n".join([*lines[:EXCERPT_LINES], "[...]", "", *lines[_verdict_in(lines) :]]),
        AUDIT: table,
        ACCESS: tree,
    }
    for name, excerpt in excerpts.items():
        before, start, rest = readme.partition(EXCERPT.format(name))
        if not start:
            raise SystemExit(f"README.md has no excerpt called '{name}'")
        readme = f"{before}{start}\n```\n{excerpt}\n```\n\n{END}{rest.partition(END)[2]}"
    return {
        ROOT / "docs/rules.md": rule_reference(reports),
        ROOT / "reports/example/acme-analytics-20260102T030405Z.json": render(broken, Format.JSON),
        ROOT / "reports/example/acme-analytics-20260102T030405Z.md": render(broken, Format.MARKDOWN),
        ROOT / "reports/example/acme-analytics-20260102T030405Z.html": render(broken, Format.HTML),
        ROOT / "docs/schemas/audit-1.0.json": audit_wire.schema(),
        ROOT / "docs/schemas/access-1.0.json": access_wire.schema(),
        ROOT / "docs/schemas/diff-1.0.json": diff_wire.schema(),
        ROOT / "docs/schemas/config-1.0.json": json_schema(),
        **{ROOT / f"docs/schemas/{name}-{VERSION}.json": schema_text(kind) for name, kind in IN_BUNDLES.items()},
        ROOT / "README.md": readme,
    }


def _verdict_in(lines: list[str]) -> int:
    return max(at for at, line in enumerate(lines) if line.startswith("NOT READY"))


def rule_reference(reports: dict[str, Report]) -> str:
    """docs/rules.md."""
    rules = load_rules()
    head = (
        "# Rules\n\n"
        "Generated from the rules' own words by scripts/make_docs.py; the samples are from `preflight demo`.\n\n"
        + "\n".join(f"- [{rule.id}](#{rule.id}): {rule.title}" for rule in rules)
    )
    return "\n\n".join([head, *(_entry(rule, reports) for rule in rules)]) + "\n"


def _entry(rule: Rule, reports: dict[str, Report]) -> str:
    methods = methods_for(needed_facts([rule]))
    permissions = list(dict.fromkeys(method.permission for method in methods if method.permission))
    return "\n".join(
        [
            f"## {rule.id}",
            "",
            f"**{rule.title}.**",
            "",
            "| severity | items | after | since |",
            "|---|---|---|---|",
            f"| {rule.severity.value} | {' '.join(rule.requirements) or 'none'} "
            f"| {', '.join(rule.after) or 'nothing'} | {rule.since} |",
            "",
            f"**Why.** {rule.why}",
            "",
            f"**How.** {' '.join(rule.how.split())}",
            "",
            f"**Reads.** {', '.join(f'`{m.id}`' for m in methods) or 'nothing from Google'}.",
            "",
            f"**The caller needs.** {', '.join(f'`{p}`' for p in permissions) or 'nothing'}.",
            "",
            "```",
            _sample(rule, reports),
            "```",
            "",
            f"Leave it out with `--skip {rule.id}`.",
        ]
    )


def _sample(rule: Rule, reports: dict[str, Report]) -> str:
    """The rule's section of the terminal report of the world in which it has most to say."""
    order = [Status.FAIL, Status.WARN, Status.UNKNOWN, Status.PASS, Status.SKIP]
    found = [(report, finding) for report in reports.values() for finding in report.findings if finding.rule == rule.id]
    if not found:  # a rule that is run on request
        alone = demo_report("ready", rule.id)
        found = [(alone, finding) for finding in alone.findings]
    report, finding = min(found, key=lambda pair: order.index(pair[1].status))
    text = render(replace(report, findings=(finding,), handover=None), Format.TERMINAL, width=100)
    parts = text.rstrip("\n").split("\n\n")
    return "\n\n".join(parts[2:-1]) or parts[1]


def _taken(path: Path, text: str) -> list[str]:
    """What the schema in a file would lose."""
    if path.name.partition("-")[0] not in IN_BUNDLES or not path.exists():
        return []
    sys.path.insert(0, str(ROOT))  # run as a file, it finds its own folder only
    from scripts.schema_growth import lost

    return list(lost(json.loads(path.read_text(encoding="utf-8")), json.loads(text)))


def main() -> int:
    """Writes the documents, or with --check compares them."""
    made = documents()
    shrunk = [f"{path.name}{one}" for path, text in made.items() for one in _taken(path, text)]
    if shrunk:
        print(f"A schema of bundles would lose something, so nothing is written: {', '.join(shrunk)}")
        return 1
    if "--check" not in sys.argv[1:]:
        for path, text in made.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return 0
    stale = [path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        print(f"{path.relative_to(ROOT)} is not what the tool says now: run python scripts/make_docs.py")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
