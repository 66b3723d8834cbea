"""Short names for the facts that tests state: bindings, policies, roles; and how to obey a remedy."""

import re
import shlex
import signal
import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from msgspec.structs import replace

from preflight import AllowPolicies, AllowPolicy, Binding, Condition, Denied, Profile, Provenance, Role, Roles, Unknown
from preflight.facts.catalogue import role_catalogue
from preflight.profile import load_profile
from preflight.testing import HERE

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
ACME, FOLDER, ORGANIZATION = "projects/acme-analytics", "folders/77", "organizations/9"
USER, EDITOR, JOB_USER = "roles/bigquery.user", "roles/bigquery.dataEditor", "roles/bigquery.jobUser"


def bind(role: str, *members: str, only_if: str = "") -> Binding:
    return Binding(role, members, Condition(only_if) if only_if else None)


def policies(*bindings: Binding, **above: tuple[Binding, ...] | Unknown) -> AllowPolicies:
    """The project's bindings, and those of its `folder` and `organization` if it has such."""
    on = {ACME: bindings, **{{"folder": FOLDER, "organization": ORGANIZATION}[k]: v for k, v in above.items()}}
    return AllowPolicies(
        policies={
            name: v if isinstance(v, Unknown) else AllowPolicy(provenance=at(name), resource=name, bindings=v)
            for name, v in on.items()
        }
    )


def unreadable(resource: str) -> Unknown:
    kind = resource.partition("/")[0]
    return Unknown(Denied(f"resourcemanager.{kind}.getIamPolicy", resource), at(resource))


def at(resource: str) -> Provenance:
    return replace(HERE, resource=resource)


def role(name: str, *permissions: str, deleted: bool = False, disabled: bool = False) -> Role:
    held = frozenset(permissions)
    return Role(provenance=at(name), name=name, permissions=held, deleted=deleted, disabled=disabled)


def _real_roles() -> dict[str, Role | Unknown]:
    catalogue = role_catalogue()
    held = {name: [p for n, p in enumerate(catalogue.permissions) if int(bits, 16) >> n & 1]
            for name, bits in catalogue.roles.items()}  # fmt: skip
    return {name: role(name, *permissions) for name, permissions in held.items()}


REAL_ROLES = _real_roles()


def roles(*also: Role, **unread: Unknown) -> Roles:
    """Google's predefined roles as they are, custom ones, and `owner=Unknown(…)` for one that could not be read."""
    unknown = {f"roles/{name.replace('__', '.')}": why for name, why in unread.items()}
    return Roles(roles={**REAL_ROLES, **{r.name: r for r in also}, **unknown})


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
