"""GitHub's commands are read here as its runner reads them: `ActionCommand.cs` in github.com/actions/runner."""

from typing import NamedTuple

from msgspec.structs import replace

from preflight.renderers import github
from preflight.renderers.fleet import Row
from preflight.renderers.markdown import render as markdown
from preflight.renderers.visible import visible
from preflight.report import Status


class Command(NamedTuple):
    name: str
    properties: dict[str, str]
    data: str


def unescaped(text: str, *more: tuple[str, str]) -> str:
    for escape, character in (("%0D", "\r"), ("%0A", "\n"), *more, ("%25", "%")):
        text = text.replace(escape, character)
    return text


def read(line: str) -> Command:
    """A line as the runner takes it. Fails for one in which it would see no command, and look for an old one."""
    line = line.lstrip()
    assert line.startswith("::"), line
    told, found, data = line[2:].partition("::")
    assert found, line
    name, _, listed = told.partition(" ")
    properties = {}
    for one in listed.strip().split(","):
        key, _, value = one.partition("=")
        if value:
            properties[key] = unescaped(value, ("%3A", ":"), ("%2C", ","))
    return Command(name, properties, unescaped(data))


def commands(text: str) -> list[Command]:
    return [read(line) for line in text.splitlines()]


def test_each_line_is_a_command_and_says_what_it_should(report):
    *told, last = commands(github.render(report))
    wanted = [f for f in report.by_urgency() if f.status in (Status.FAIL, Status.UNKNOWN, Status.WARN)]
    for command, finding in zip(told, wanted, strict=True):
        assert command.properties["title"] == f"{finding.status.value.upper()} {finding.rule}"
        assert command.data.splitlines()[0] == visible(finding.verdict.message)
    assert last.name == "notice"


def test_names_are_data_and_nothing_else(hostile, hostile_report):
    *told, last = commands(github.render(hostile_report))
    assert [command.name for command in told] == ["error", "error", "warning"]
    for command in told:
        assert set(command.properties) <= {"title", "file", "line"}
        assert command.data.splitlines()[0] == visible(hostile)
    assert last.properties == {"title": visible(f"preflight {hostile}").rstrip()}


def test_a_place_with_all_that_is_escaped(reports):
    finding = reports["files"].findings[0]
    evidence = replace(finding.verdict.evidence[1], resource="a,b:c%0A=d::e.tf:7")
    odd = replace(finding, verdict=replace(finding.verdict, evidence=(evidence,)))
    first, _ = commands(github.render(replace(reports["files"], findings=(odd,))))
    assert first.properties == {"title": "FAIL dataset-location", "file": "a,b:c%0A=d::e.tf", "line": "7"}


def test_what_stands_in_the_way_is_an_error(reports):
    def levels(report):
        return {c.properties["title"]: c.name for c in commands(github.render(report))[:-1]}

    assert levels(reports["files"]) == {"FAIL dataset-location": "error", "UNKNOWN jobs-create": "warning"}
    assert levels(reports["blind"]) == {"UNKNOWN billing-enabled": "error"}
    assert levels(replace(reports["blind"], allow_unknown=True)) == {"UNKNOWN billing-enabled": "warning"}
    assert levels(reports["warned"]) == {"WARN dataset-name": "warning"}
    assert levels(reports["ready"]) == {}


def test_with_only_new_what_was_there_before_the_plan_is_no_error(reports):
    now = reports["files"]
    for was, name in ((Status.FAIL, "warning"), (Status.PASS, "error")):
        before = replace(now, findings=tuple(with_status(finding, was) for finding in now.findings))
        first, *_ = commands(github.render(now.since(before, "plan.json", only_new=True)))
        assert (first.properties["title"], first.name) == ("FAIL dataset-location", name)


def with_status(finding, status):
    return replace(finding, verdict=replace(finding.verdict, status=status))


def test_a_summary_is_the_markdown_report_as_long_as_github_shows_it(report):
    assert github.summary(report) == markdown(report)


def test_a_summary_that_is_too_long_says_so(reports, make_report, make_finding):
    finding = reports["broken"].findings[2]
    many = make_report(*(replace(finding, rule=f"rule-{n}", title="t" * 60_000) for n in range(30)))
    text = github.summary(many)
    assert 800_000 < len(text.encode()) < 1024 * 1024
    assert text.endswith("\n\nThe rest is too long for this page.\n")
    assert text.startswith("## NOT READY")


def test_a_fleet_is_an_annotation_for_each_project_in_trouble(reports):
    rows = [Row.of(reports[name]) for name in ("ready", "blind", "broken", "warned")]
    told = commands(github.fleet(rows))
    assert [command.name for command in told] == ["error", "error", "notice"]
    assert told[0].properties["title"] == "acme-analytics: bigquery-api-enabled"
    assert told[2].data == "4 projects: 1 not ready, 1 can't tell, 1 ready, with warnings, 1 ready."
    (allowed, _) = commands(github.fleet([Row.of(replace(reports["blind"], allow_unknown=True))]))
    assert allowed.name == "warning"


def test_names_in_a_fleet_are_data_and_nothing_else(hostile, hostile_report):
    first, _ = commands(github.fleet([Row.of(hostile_report)]))
    assert first.properties["title"] == visible(f"{hostile}: rule-0")
    assert first.data == visible(hostile)


def test_the_summary_of_a_large_fleet_keeps_the_worst(reports):
    bad = Row.of(reports["broken"])
    good = replace(Row.of(reports["ready"]), message="m" * 200, rule="some-rule")
    rows = [replace(good, project=f"good-{n}") for n in range(6000)] + [replace(bad, project="the-bad-one")]
    text = github.fleet_summary(rows, reports["ready"], "export.json")
    assert 900_000 < len(text.encode()) <= github.MOST
    assert "the-bad-one" in text
    assert "more are not in this table." in text
    few = github.fleet_summary(rows[-2:], reports["ready"], "export.json")
    assert "not in this table" not in few
