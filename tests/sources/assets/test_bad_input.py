"""Files that are no exports, damaged ones, odd ones: a clear error, or Unknown with its line; never a wrong verdict."""

import gzip
import json
from pathlib import Path

import pytest

from preflight.sources.assets.lines import LONGEST_LINE
from tests.end_to_end.conftest import Result
from tests.sources.assets.conftest import Tried, line_of, of_kind
from tests.sources.assets.exporting import Line, json_lines, write

ONE = ("--project", "acme-analytics", "--location", "EU", "--dataset", "heap_production")
FEW = ("--location", "EU", "--dataset", "heap_production")
both = pytest.mark.parametrize("options", [ONE, FEW], ids=["one project", "all projects"])


def nothing_written() -> bool:
    """In a working directory that was empty: `reports` would be there."""
    return list(Path.cwd().iterdir()) == []


def verdicts(result: Result) -> dict[str, str]:
    """Of the one project, whether it was asked for or is one of all."""
    report = result.report
    (one,) = report.get("reports", [report])
    return {finding["rule"]: finding["verdict"] for finding in one["findings"]}


def less_sure(damaged: Result, whole: Result) -> None:
    """Asserts that damage takes answers away and makes none."""
    told, known = verdicts(damaged), verdicts(whole)
    assert damaged.code == 3
    assert "Traceback" not in damaged.err
    assert {rule: told[rule] for rule in told if told[rule] not in {"unknown", known[rule]}} == {}


@both
@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(gzip.compress(b""), "is empty", id="empty gzip"),
        pytest.param(b"\n\n  \n", "doesn't start like JSON", id="blank"),
        pytest.param(b"\x7fELF\x02\x01\x01\0\0\0" * 100, "doesn't start like JSON", id="binary"),
        pytest.param(gzip.compress(b"\x89PNG\r\n\x1a\n\0\0" * 100), "doesn't start like JSON", id="binary gzip"),
        pytest.param(b"\x1f\x8b\x08\0", "is empty, or cut", id="cut gzip header"),
        pytest.param(b"\x1f\x8bnot gzip at all", "is empty, or cut", id="gzip by its start alone"),
        pytest.param(b"PK\x03\x04zip", "doesn't start like JSON", id="zip"),
        pytest.param('{"name": "x"}'.encode("utf-16"), "UTF-16", id="PowerShell"),
        pytest.param(b"name,asset_type\n1,2\n", "doesn't start like JSON", id="CSV"),
        pytest.param(b'{"a": 1}\n{"b": 2}\n', "line 1 of", id="other JSON lines"),
        pytest.param(b'{"schema_version": "1.0", "findings": []}\n', "line 1 of", id="a report of ours"),
        pytest.param(b"[1, 2, 3]", "line 1 of", id="an array of numbers"),
        pytest.param(b"[]", "holds no project", id="an empty array"),
        pytest.param(b'[{"name": "x"', "isn't one", id="a cut array"),
        pytest.param(b'{\n  "bindings": []\n}\n', "line 1 of", id="a policy"),
        pytest.param(b'{"name": "//x/y", "asset_type": "x/Y"}\n', "holds no project", id="no assets of ours"),
    ],
)
def test_what_is_no_export(content: bytes, words: str, options: tuple[str, ...], run: Tried):
    result = run(content, *options, "--output-dir", "reports", "--format", "json")
    if words == "holds no project" and options is ONE:
        words = "has no project 'acme-analytics'"
    result.refuses(words, "export.json")
    assert nothing_written()


@both
def test_a_file_that_is_not_there_and_a_folder(options: tuple[str, ...], run: Tried, tmp_path: Path):
    run(tmp_path / "absent.json", *options, "--output-dir", "reports").refuses(
        "can't be read", "no such file", "--assets"
    )
    run(tmp_path, *options, "--output-dir", "reports").refuses("can't be read", "directory")
    assert nothing_written()


def test_a_project_that_is_not_there_and_the_nearest(ready: list[Line], run: Tried):
    result = run(ready, "--project", "acme-analytic", "--output-dir", "reports")
    result.refuses("has no project 'acme-analytic'", "acme-analytics")
    run(ready, "--project", "421700000009", "--output-dir", "reports").refuses("acme-analytics")
    policies = [line for line in ready if "iam_policy" in line]
    run(policies, "--project", "acme-analytics", "--output-dir", "reports").refuses("no RESOURCE lines of projects")
    assert nothing_written()


@both
@pytest.mark.parametrize("name", ["export.json", "export.json.gz"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.8, 0.95, 0.999])
def test_a_file_that_was_cut(part: float, name: str, options: tuple[str, ...], ready: list[Line], run: Tried):
    whole = run(ready, *options)
    content = json_lines(ready)
    if name.endswith(".gz"):
        content = gzip.compress(content)
    content = content[: int(len(content) * part)]
    damaged = run(content, *options, name=name)
    if damaged.code == 2:  # what names the project is what was cut off
        damaged.refuses("project", "can't be read")
    else:
        less_sure(damaged, whole)
        assert "can't be read" in damaged.err
    assert ("the gzip file ends too early" in damaged.err) == name.endswith(".gz")


def test_what_was_cut_is_told_by_its_line(ready: list[Line], run: Tried, tmp_path: Path):
    result = run(json_lines(ready)[:-20], *ONE)
    at = f"line {len(ready)} of {tmp_path}/export.json can't be read"
    assert f"Warning: {at}" in result.err
    assert result.finding("dataset-location")["verdict"] == "unknown"
    assert at in result.finding("dataset-location")["message"]


@both
def test_a_damaged_gzip(options: tuple[str, ...], ready: list[Line], run: Tried):
    content = bytearray(gzip.compress(json_lines(ready * 3)))
    content[len(content) // 2] ^= 0xFF
    damaged = run(bytes(content), *options)
    assert damaged.code in {2, 3}
    assert "damaged" in damaged.err or "can't be read" in damaged.err
    assert "Traceback" not in damaged.err


@both
@pytest.mark.parametrize(
    ("line", "why"),
    [
        pytest.param(b'{"name": "//x/y", "asset_type":', "truncated", id="cut"),
        pytest.param(b"not JSON at all", "malformed", id="text"),
        pytest.param(b"\x00\xff\xfe\x80 binary \x01", "malformed", id="binary"),
        pytest.param(b'{"name": "\xff\xfe", "asset_type": "x/Y"}', "utf-8", id="not UTF-8"),
        pytest.param(b'{"name": 7, "asset_type": "x/Y"}', "Expected `str`", id="a name that is a number"),
        pytest.param(b"{}", "no asset", id="no asset"),
        pytest.param(b"[" * 100_000, "", id="deep"),
    ],
)
def test_a_line_that_can_not_be_read_takes_sureness_away(
    line: bytes, why: str, options: tuple[str, ...], ready: list[Line], run: Tried, tmp_path: Path
):
    content = json_lines(ready).splitlines(keepends=True)
    content.insert(2, line + b"\n")
    damaged = run(b"".join(content), *options)
    assert f"line 3 of {tmp_path}/export.json can't be read" in damaged.err
    assert why in damaged.err
    told, known = verdicts(damaged), verdicts(run(ready, *options))
    assert {rule: told[rule] for rule in told if told[rule] not in {"unknown", known[rule]}} == {}
    # What denies would have been a line of its own: a grant stands, an absence doesn't.
    assert (known["jobs-create"], told["jobs-create"]) == ("pass", "pass")


@both
def test_damage_makes_no_grant_sure_to_be_absent(options: tuple[str, ...], ready: list[Line], run: Tried):
    nobody = [{**one, "iam_policy": {"bindings": []}} if "iam_policy" in one else one for one in ready]
    assert verdicts(run(nobody, *options))["vendor-role"] == "fail"
    damaged = run(json_lines(nobody) + b"{cut", *options)
    assert verdicts(damaged)["vendor-role"] == "unknown"
    assert verdicts(damaged)["jobs-create"] == "unknown"
    assert damaged.code == 3


@both
def test_a_line_of_50_megabytes(options: tuple[str, ...], ready: list[Line], run: Tried, tmp_path: Path):
    long = {"name": "//x/y", "asset_type": "x/Y", "resource": {"data": {"text": "x" * (50 << 20)}}}
    assert LONGEST_LINE < 50 << 20
    damaged = run([*ready[:3], long, *ready[3:]], *options, name="export.json")
    less_sure(damaged, run(ready, *options, name="whole.json"))
    assert f"line 4 of {tmp_path}/export.json can't be read: it is longer than 32 MB" in damaged.err


@both
def test_the_end_of_a_long_line_is_no_line_of_its_own(options: tuple[str, ...], ready: list[Line], run: Tried):
    rest = json_lines(of_kind(ready, "Project", "iam_policy")).rstrip(b"\n")
    # Where reading stops, something stands that looks like a line.
    long = b'{"name": "' + b"x" * (LONGEST_LINE - 10) + rest + b"\n"
    damaged = run(long + json_lines(ready), *options)
    assert "line 1 of" in damaged.err
    assert "repeat" not in damaged.err


@both
def test_a_policy_that_is_not_as_documented_is_unknown_by_its_line(
    options: tuple[str, ...], ready: list[Line], run: Tried
):
    number = line_of(ready, "Project", "iam_policy")
    lines = [*ready]
    lines[number - 1] = {**lines[number - 1], "iam_policy": {"bindings": [{"members": ["allUsers"]}]}}
    result = run(lines, *options)
    told = verdicts(result)
    assert (told["vendor-role"], told["jobs-create"]) == ("unknown", "unknown")
    assert f"line {number} of" in json.dumps(result.report)
    assert result.code == 3


@both
def test_one_document_instead_of_lines(options: tuple[str, ...], ready: list[Line], run: Tried):
    known = verdicts(run(ready, *options))
    for document in (
        json.dumps(ready, indent=2),
        json.dumps(ready),
        json.dumps({"assets": ready}),
        json.dumps({"readTime": "2026-03-01T00:00:00Z", "assets": ready}, indent=1),
        "\ufeff" + json.dumps(ready),
    ):
        assert verdicts(run(document.encode(), *options)) == known
    page = run(json.dumps({"assets": ready, "nextPageToken": "more"}).encode(), *options)
    assert "one page of several" in page.err
    assert {rule for rule, verdict in verdicts(page).items() if verdict not in {known[rule], "unknown"}} == set()
    assert verdicts(page) != known


@both
def test_lines_that_come_twice_change_nothing(options: tuple[str, ...], ready: list[Line], run: Tried):
    twice, once = run([*ready, *ready], *options), run(ready, *options)
    assert verdicts(twice) == verdicts(once)
    assert "lines repeat a resource" in twice.err


@both
def test_empty_lines_and_windows_line_ends_are_nothing(options: tuple[str, ...], ready: list[Line], run: Tried):
    content = b"\r\n\r\n".join(json_lines(ready).splitlines()) + b"\r\n  \r\n"
    result = run(content, *options)
    assert "Warning" not in result.err
    assert verdicts(result) == verdicts(run(ready, *options))


def test_several_gzip_members_and_a_padded_end(ready: list[Line], run: Tried):
    halves = gzip.compress(json_lines(ready[:5])) + gzip.compress(json_lines(ready[5:])) + b"\0" * 512
    assert verdicts(run(halves, *ONE)) == verdicts(run(ready, *ONE))


def test_one_bad_file_of_two(ready: list[Line], run: Tried, tmp_path: Path):
    good = write(tmp_path / "good.json", ready)
    result = run(b"no export", *ONE, "--assets", str(good), "--output-dir", "reports")
    result.refuses("export.json", "doesn't start like JSON")
    assert nothing_written()


@both
@pytest.mark.parametrize("option", [("--timeout", "9"), ("--transport", "rest"), ("--cross-check",), ("-v",)])
def test_options_about_googles_apis_are_refused(
    option: tuple[str, ...], options: tuple[str, ...], ready: list[Line], run: Tried
):
    run(ready, *options, *option).refuses("Leave out", "none is asked")
