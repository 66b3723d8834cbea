"""JUnit XML: valid by a published schema, read back by a parser that no one here wrote."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import xmlschema

from preflight.renderers.junit import render
from preflight.renderers.visible import visible
from preflight.report import Status

SCHEMA = xmlschema.XMLSchema(str(Path(__file__).parent / "schemas" / "junit-jenkins.xsd"))
ELEMENTS = {Status.FAIL: "failure", Status.UNKNOWN: "error", Status.SKIP: "skipped", Status.WARN: "system-out"}


def suite_of(report) -> ET.Element:
    (suite,) = ET.fromstring(render(report))
    return suite


def test_it_is_valid(report):
    SCHEMA.validate(render(report))


def test_it_is_valid_whatever_names_say(hostile_report):
    SCHEMA.validate(render(hostile_report))


def test_the_schema_would_tell(reports):
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        SCHEMA.validate(render(reports["broken"]).replace("<skipped>", "<ignored>").replace("</skipped>", "</ignored>"))


def test_each_verdict_is_told_as_ci_reads_it(report):
    suite = suite_of(report)
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases] == [finding.rule for finding in report.by_urgency()]
    for case, finding in zip(cases, report.by_urgency(), strict=True):
        wanted = [ELEMENTS[finding.status]] if finding.status in ELEMENTS else []
        assert [child.tag for child in case] == wanted
    assert suite.get("tests") == str(len(report.findings))
    for attribute, status in (("failures", Status.FAIL), ("errors", Status.UNKNOWN), ("skipped", Status.SKIP)):
        assert suite.get(attribute) == str(report.count(status))
    assert (suite.get("time"), suite.get("timestamp")) == ("1.250", "2026-01-02T03:04:05")


def test_what_is_unknown_is_no_pass_and_no_failure(reports):
    (error,) = suite_of(reports["blind"]).iter("error")
    assert error.get("type") == "denied"
    assert error.get("message") == "whether billing is enabled on acme-analytics could not be read"
    assert "To settle it: Grant the caller resourcemanager.projects.get" in str(error.text)


def test_names_are_read_back_as_they_are_seen(hostile, hostile_report):
    suite = suite_of(hostile_report)
    assert suite.get("name") == visible(hostile)
    failed, unknown, warned, _, skipped = suite.findall("testcase")
    for case, element in ((failed, "failure"), (unknown, "error")):
        (trouble,) = case
        assert trouble.tag == element
        assert trouble.get("message") == visible(hostile)
        assert len(trouble) == 0
    assert str(skipped[0].text or "") == visible(hostile)
    assert str(warned[0].text).startswith(f"WARN: {visible(hostile)}\n")
    assert {element.tag for element in suite.iter()} <= {
        "testsuite",
        "properties",
        "property",
        "testcase",
        *ELEMENTS.values(),
    }
