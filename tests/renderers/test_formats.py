import subprocess
import sys

import pytest

from preflight.renderers import Format, render


@pytest.mark.parametrize("form", Format)
def test_every_format_shows_the_whole_report_as_committed(form, report_name, report, golden):
    golden(f"{report_name}{form.suffix}", render(report, form))


@pytest.mark.parametrize("form", Format)
def test_every_format_can_be_written_and_ends_its_last_line(form, hostile_report):
    text = render(hostile_report, form)
    assert text.encode("utf-8")
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@pytest.mark.parametrize("form", Format)
def test_no_format_lets_a_character_through_that_hides(form, hostile_report):
    hidden = [c for c in render(hostile_report, form) if not c.isprintable() and c != "\n"]
    assert hidden == []


@pytest.mark.parametrize("form", [form for form in Format if form is not Format.GITLAB])
def test_a_report_without_findings_is_shown(form, make_report):
    assert "acme-analytics" in render(make_report(), form)


def test_gitlab_is_told_of_what_is_to_be_changed_alone(make_report):
    assert render(make_report(), Format.GITLAB) == "[]\n"


def test_a_format_loads_its_libraries_only_when_it_is_used():
    code = (
        "import preflight.renderers, sys\n"
        "heavy = {'pydantic', 'tabulate', 'click', 'xml', 'hashlib', 'preflight.named_files'}\n"
        "heavy |= {'html', 'preflight.renderers.html'}\n"
        "print(heavy & set(sys.modules))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout == "set()\n"
