"""Plans that are broken on purpose, or large: a clear refusal or honest facts, in little time and memory."""

import json
import os
import resource
import signal
import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from preflight import Unknown
from preflight.errors import UsageError
from preflight.facts.snapshot import FIELD_OF
from preflight.sources.terraform import plan_file
from preflight.sources.terraform.plan import read_plan
from preflight.sources.terraform.plan_values import laid_over
from preflight.sources.terraform.resources import Unsettled
from preflight.sources.terraform.semantics import snapshot_of
from tests.sources.terraform.conftest import ACME, change, plan
from tests.sources.terraform.test_facts import dataset, project, service
from tests.sources.terraform.test_grants import binding, deny, member, policy

WHOLE = plan(
    member(), binding(), policy(("roles/viewer", "user:x@acme.example")), dataset(), service(), project(), deny(),
    configuration={"provider_config": {"google": {"expressions": {"project": {"constant_value": ACME}}}}},
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def paths(value, at=()):
    """Where something can be put in another's place."""
    yield at
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from paths(inner, (*at, key))


PATHS = [path for path in paths(WHOLE) if path]


def put(path, value):
    changed = json.loads(json.dumps(WHOLE))
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return changed


def facts_of(path):
    return snapshot_of(read_plan(path), ACME, ("bigquery.googleapis.com",), frozenset(FIELD_OF), "plan")[0]


def hint_or_source(path):
    """What to do, for a file that is refused; "plan" for one that is read. Anything else that is raised fails."""
    try:
        return facts_of(path).source
    except UsageError as error:
        return error.hint


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(PATHS), JSON)
def test_anything_in_any_place_is_refused_or_read(written, path, value):
    assert hint_or_source(written(put(path, value)))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 4000), st.binary(max_size=4))
def test_bytes_in_any_place_are_refused_or_read(written, place, garbage):
    text = json.dumps(WHOLE).encode()
    at = place % len(text)
    assert hint_or_source(written(text[:at] + garbage + text[at + len(garbage) :]))


@given(JSON, JSON, JSON)
def test_whatever_the_trees_say_no_marked_value_stays(value, unknown, sensitive):
    """Where a tree says true, whatever the other says, nothing of the value below is left."""

    def check(found, value, unknown, sensitive):
        if sensitive is True or unknown is True:
            assert isinstance(found, Unsettled)
            assert found.sensitive is (sensitive is True)
        elif isinstance(found, dict):
            for key in found:
                check(
                    found[key],
                    *((one.get(key) if isinstance(one, dict) else None) for one in (value, unknown, sensitive)),
                )
        elif isinstance(found, list):
            for at, inner in enumerate(found):
                check(inner, *((one[at] if isinstance(one, list) and at < len(one) else None)
                               for one in (value, unknown, sensitive)))  # fmt: skip
        elif not isinstance(found, Unsettled):
            assert found == value

    check(laid_over(value, unknown, sensitive, "x"), value, unknown, sensitive)


MANY = 5_000


def test_thousands_of_resources_of_one_policy_take_little_time(written):
    grants = [member(f"roles/r{n % 60}", f"user:u{n}@acme.example", f"m{n}") for n in range(MANY)]
    roles = [binding(f"roles/b{n}", [f"user:u{n}@acme.example"], f"b{n}") for n in range(300)]
    gone = [member(f"roles/r{n % 60}", f"user:u{n}@acme.example", f"g{n}", ("delete",)) for n in range(0, MANY, 10)]
    path = written(plan(*grants, *roles, *gone))
    start = time.process_time()
    snapshot = facts_of(path)
    spent = time.process_time() - start
    own = snapshot.allow_policies.policies[f"projects/{ACME}"]
    assert len(own.bindings) == MANY + 300 - MANY // 10
    assert len(own.possible) == MANY // 10
    assert spent < 5, "it grows with their number, not with its square"


def test_thousands_of_datasets_take_little_time(written):
    sets = [dataset(values={"dataset_id": f"d{n}"}, name=f"d{n}") for n in range(1_000)]
    grants = [
        change(f"google_bigquery_dataset_iam_member.m{n}", {"project": ACME, "dataset_id": f"d{n % 1_000}",
               "role": "roles/viewer", "member": f"user:u{n}@acme.example"})
        for n in range(MANY)
    ]  # fmt: skip
    path = written(plan(*sets, *grants))
    start = time.process_time()
    snapshot = facts_of(path)
    assert time.process_time() - start < 5
    assert len(snapshot.datasets.datasets) == 1_000


BOUNDED = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]), int(sys.argv[2])))
from preflight.errors import UsageError
from preflight.sources.terraform import plan_file
from preflight.sources.terraform.plan import read_plan
try:
    print(len(read_plan(Path(sys.argv[1])).resources))
except UsageError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b'{"format_version":"1.2","x":' + b"[" * 20_000_000, "nested too deeply", id="20 MB of brackets"),
        pytest.param(b"\0" * 50_000_000, "is no text", id="50 MB of NUL bytes"),
        pytest.param(b'{"format_version":"1.2","x":"' + b"a" * 50_000_000 + b'"}', "0", id="one long text"),
        pytest.param(
            b'{"format_version":"1.2","resource_changes":[' + b"{}," * 500_000 + b"{}]}", "0", id="many of nothing"
        ),
        pytest.param(b"[" + b"1," * 20_000_000 + b"1]", "no plan in JSON", id="a long list"),
    ],
)
def test_large_bad_input_is_bounded_in_time_and_memory(written, content, says):
    path = written(content)
    allowed = 400_000_000 + len(content)
    command = [sys.executable, "-c", BOUNDED, str(path), str(allowed)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=20, check=True)
    assert says in done.stdout
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss


def test_a_pipe_is_read(written, tmp_path):
    import threading

    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=(json.dumps(WHOLE).encode(),))
    writer.start()
    assert len(read_plan(fifo).resources) == len(WHOLE["resource_changes"])
    writer.join()


def test_a_file_that_goes_while_it_is_read(written):
    path = written(WHOLE)
    declared = read_plan(path)
    path.unlink()
    assert len(declared.resources) == len(WHOLE["resource_changes"])
    assert not isinstance(snapshot_of(declared, ACME, (), frozenset(FIELD_OF), "plan")[0].datasets, Unknown)


CUT_MEANWHILE = """
import subprocess, sys, time
from pathlib import Path
from preflight.sources.terraform import plan, plan_file
path, cut, mapped_from, lent = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
plan_file._MAPPED_FROM = mapped_from
if not lent:
    plan_file._lent = lambda *_: True  # it says so, and is not
refuse = plan._refuse_others

def between(*given):  # the file has been scanned, its elements are looked at next
    global other
    other = subprocess.Popen([sys.executable, "-c", cut, str(path)])
    time.sleep(1)
    refuse(*given)

plan._refuse_others = between
print(len(plan.read_plan(path).resources))
print(other.wait(30), path.stat().st_size)
"""
CUT = "import os, sys; os.truncate(sys.argv[1], 0)"
OPENED = "import sys; open(sys.argv[1], 'w').close()"


def cut_meanwhile(path, cut, mapped_from, lent="lent"):
    """How a process ends, and what it says, that reads a plan which another one cuts to nothing meanwhile."""
    command = [sys.executable, "-c", CUT_MEANWHILE, str(path), cut, str(mapped_from), lent]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)
    return done.returncode, done.stdout.split()


@pytest.mark.parametrize("cut", [CUT, OPENED], ids=["cut", "opened anew"])
@pytest.mark.parametrize("mapped_from", [0, 10**9], ids=["mapped", "read"])
def test_a_file_that_is_cut_meanwhile_is_read_as_it_was(written, cut, mapped_from):
    path = written(plan(*(member(f"roles/r{n}", name=f"m{n}") for n in range(2_000))))
    assert cut_meanwhile(path, cut, mapped_from) == (0, ["2000", "0", "0"]), "and then whoever cut it had their way"


@pytest.mark.skipif(sys.platform != "linux", reason="how a process ends is the system's affair")
def test_without_the_lease_it_would_be_the_end_of_the_process(written):
    path = written(plan(*(member(f"roles/r{n}", name=f"m{n}") for n in range(2_000))))
    assert cut_meanwhile(path, CUT, 0, "") == (-signal.SIGBUS, [])


def test_a_file_that_is_being_written_is_not_mapped(written, monkeypatch):
    monkeypatch.setattr(plan_file, "_MAPPED_FROM", 0)
    path = written(WHOLE)
    with path.open("ab"):
        assert len(read_plan(path).resources) == len(WHOLE["resource_changes"])


@pytest.mark.parametrize("mapped_from", [0, 10**9], ids=["mapped", "read"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_marks_of_byte_order(written, monkeypatch, mapped_from, encoding):
    monkeypatch.setattr(plan_file, "_MAPPED_FROM", mapped_from)
    assert len(read_plan(written(json.dumps(WHOLE).encode(encoding))).resources) == len(WHOLE["resource_changes"])


@pytest.mark.parametrize(
    "change", [lambda file: file.truncate(100), lambda file: file.write(b" " * 50)], ids=["cut", "grown"]
)
def test_a_file_that_changes_before_it_is_read_whole_is_refused(written, monkeypatch, change):
    path = written(WHOLE)
    stat = os.fstat
    told = []

    def changing(number):
        found = stat(number)
        told.append(found)
        if len(told) == 3:  # what is there was looked at, and is read next
            with path.open("r+b") as file:
                file.seek(0, 2)
                change(file)
        return found

    monkeypatch.setattr(plan_file.os, "fstat", changing)
    with pytest.raises(UsageError, match="was changed while it was read"):
        read_plan(path)
