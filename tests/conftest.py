"""Short names for what tests state, with the builders of `preflight.testing`; and how to obey a remedy."""

import re
import shlex
import signal
import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from msgspec.structs import replace

from preflight import AllowPolicies, AllowPolicy, Profile
from preflight.profile import load_profile
from preflight.testing import FOLDER, HERE, ORGANIZATION, at, bind, policies, roles, unreadable
from preflight.testing import custom_role as role

__all__ = ["ACME", "FOLDER", "HEAP", "ORGANIZATION", "at", "bind", "policies", "role", "roles", "unreadable"]

# A busy machine is slow, and no failure.
settings.register_profile("preflight", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("preflight")

# Started in the background, as a CI may be, a process inherits that it ignores these; its children then would too,
# and the tests of signals would test nothing.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)

HEAP = "serviceAccount:heap-sql@heap-204122.iam.gserviceaccount.com"
ACME = HERE.resource
USER, EDITOR, JOB_USER = "roles/bigquery.user", "roles/bigquery.dataEditor", "roles/bigquery.jobUser"


def obey(command: str, before: AllowPolicies) -> AllowPolicies:
    """The project's policy after the `gcloud projects add-iam-policy-binding` of a remedy was run."""
    match shlex.split(command):
        case ["gcloud", "projects", "add-iam-policy-binding", project, member, name, "--condition=None"]:
            pass
        case words:
            raise AssertionError(words)
    mended = before.policies[f"projects/{project}"]
    assert isinstance(mended, AllowPolicy)
    granted = bind(name.removeprefix("--role="), member.removeprefix("--member="))
    mended = replace(mended, bindings=(*mended.bindings, granted))
    return replace(before, policies={**before.policies, f"projects/{project}": mended})


def obey_terraform(text: str, before: AllowPolicies) -> AllowPolicies:
    """The same for the `google_project_iam_member` of a remedy."""
    assert text.startswith('resource "google_project_iam_member"')
    said = dict(re.findall(r'^  (\w+) += "(.*)"$', text, re.MULTILINE))
    words = f"--member={said['member']}", f"--role={said['role']}", "--condition=None"
    return obey(shlex.join(["gcloud", "projects", "add-iam-policy-binding", said["project"], *words]), before)


@pytest.fixture
def heap() -> Profile:
    return load_profile("heap")


@pytest.fixture
def contentsquare() -> Profile:
    return load_profile("contentsquare")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Says how much the larger tests compared, as they recorded it."""
    sizes: dict[str, int] = {}
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if report.when == "call" and name.startswith("compared "):
                sizes[name] = sizes.get(name, 0) + value
    if sizes:
        terminalreporter.write_line(", ".join(f"{name}: {count}" for name, count in sizes.items()))
