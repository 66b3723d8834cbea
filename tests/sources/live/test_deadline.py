"""Whatever a server does, the answer comes within the timeout, and nothing keeps the process alive after it."""

import subprocess
import sys
import time

import pytest

from preflight.emulator import Fault
from preflight.facts.methods import READS
from preflight.facts.seen import TimedOut, Unknown
from preflight.facts.snapshot import FIELD_OF
from preflight.sources.live import LiveSource
from preflight.sources.live.settings import LiveSettings

PROGRAM = """
import os, sys, time
from preflight.facts.snapshot import FIELD_OF, Target
from preflight.profile import load_profile
from preflight.sources.live import LiveSettings, LiveSource
heap = load_profile("heap")
source = LiveSource(LiveSettings.from_environ(os.environ, timeout=1.5), heap, Target("acme-analytics", heap.principal))
started = time.monotonic()
snapshot = source.collect(frozenset(FIELD_OF))
print(time.monotonic() - started, len(snapshot.gaps()))
"""


@pytest.mark.parametrize("kind", ["hang", "drip"])
@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_a_server_that_does_not_come_to_an_end(ready, kind, transport, tmp_path):
    ready.inject(Fault(method="*", kind=kind))
    environ = {"PATH": "/usr/bin", **ready.environ("admin@acme.example"), "PREFLIGHT_TRANSPORT": transport}
    started = time.monotonic()
    program = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(program, env=environ, capture_output=True, text=True, timeout=30, check=False)
    took = time.monotonic() - started
    assert done.stderr == ""
    collecting, gaps = done.stdout.split()
    assert float(collecting) < 2.5
    assert int(gaps) >= 8
    assert took - float(collecting) < 2.0, "starting and ending an interpreter"


def test_what_did_not_come_is_timed_out_and_what_came_is_kept(ready, read):
    ready.inject(Fault(method="cloudresourcemanager.folders.get", kind="hang"))
    _, snapshot = read(ready, timeout=1.0)
    assert snapshot.project.id == "acme-analytics"
    gap = snapshot.ancestry.completeness.gap
    assert gap == TimedOut("cloudresourcemanager.folders.get", 1.0)
    # Of what is above the folder nothing is known; the groups, which are asked last, were asked all the same.
    lost = {"ancestry", "allow_policies", "deny_policies", "organization"}
    assert {unknown.fact for unknown in snapshot.gaps()} == lost


def test_who_waits_is_told_for_what(ready, heap, read):
    ready.inject(Fault(method="cloudbilling.projects.getBillingInfo", kind="hang"))
    told = []
    settings = LiveSettings.from_environ(ready.environ("admin@acme.example"), timeout=1.7)
    source = LiveSource(settings, heap, _target(heap), on_wait=told.append)
    source.collect(frozenset(FIELD_OF))
    assert told
    # What is asked last is asked once half of the time is over.
    waited = {line.removesuffix(" and 1 more") for line in told}
    assert waited == {"cloudbilling.projects.getBillingInfo on projects/acme-analytics"}
    assert len(told) <= 4


def test_meanwhile_runs_once_on_this_thread(ready, heap):
    import threading

    ran = []
    settings = LiveSettings.from_environ(ready.environ("admin@acme.example"))
    source = LiveSource(settings, heap, _target(heap), meanwhile=lambda: ran.append(threading.current_thread()))
    snapshot = source.collect(frozenset(FIELD_OF))
    assert ran == [threading.main_thread()]
    assert snapshot.gaps() == ()


def test_a_timeout_that_leaves_no_time(ready, read):
    _, snapshot = read(ready, timeout=0.01)
    for fact in READS:
        value = snapshot.fact(fact)
        if isinstance(value, Unknown):
            assert value.reason.kind == "timeout"


def test_no_thread_is_left(ready, read):
    import threading

    read(ready)
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if not [thread for thread in threading.enumerate() if thread.name.startswith("preflight-")]:
            return
        time.sleep(0.01)
    pytest.fail(str(threading.enumerate()))


def _target(heap):
    from preflight.facts.snapshot import Target

    return Target("acme-analytics", heap.principal)
