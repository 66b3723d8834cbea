"""Input that breaks readers: each ends in bounded time and memory, says what is wrong, and loses nothing else."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from preflight.sources.terraform.hcl.limits import Limits
from preflight.sources.terraform.hcl.reader import read_root
from preflight.sources.terraform.hcl.reading import Library
from preflight.sources.terraform.resources import Unsettled

SECONDS = 20
MEGABYTES = 300
GOOD = 'resource "a" "good" {\n  v = 1\n}\n'

HOSTILE = {
    "brackets": "x = " + "[" * 100_000 + "]" * 100_000,
    "brackets in a block": 'resource "a" "b" {\n  v = ' + "[" * 100_000 + "]" * 100_000 + "\n}",
    "open brackets": "locals {\n  x = " + "(" * 100_000,
    "blocks": "a {\n" * 100_000,
    "blocks in a resource": 'resource "a" "b" {\n' + "x {\n" * 100_000 + "}\n" * 100_000 + "}\n",
    "templates": "locals {\n  x = " + '"${' * 5_000 + "1" + '}"' * 5_000 + "\n}",
    "negations": 'resource "a" "b" {\n  v = ' + "!" * 100_000 + "true\n}",
    "a sum": 'resource "a" "b" {\n  v = 0' + " + 1" * 100_000 + "\n}",
    "attributes": 'resource "a" "b" {\n  v = x' + ".x" * 100_000 + "\n}",
    "conditionals": 'resource "a" "b" {\n  v = ' + "true ? " * 20_000 + "1" + " : 2" * 20_000 + "\n}",
    "NUL bytes": 'resource "a" "b" {\n  v = "\0\0"\n}\n\0\0\0',
    "control characters": "".join(map(chr, range(32))) * 1_000,
    "quotes": '"' * 99_999,
    "heredocs": "a = <<E\n${<<E\n" * 2_000,
    "closing braces": "}" * 100_000,
    "a long chain of locals": "locals {\n  l0 = 1\n"
    + "".join(f"  l{n} = local.l{n - 1}\n" for n in range(1, 5_000))
    + '}\nresource "a" "b" {\n  v = local.l4999\n}\n',
    "doubling texts": 'locals {\n  l0 = "xxxxxxxxxx"\n'
    + "".join(f'  l{n} = "${{local.l{n - 1}}}${{local.l{n - 1}}}"\n' for n in range(1, 60))
    + '}\nresource "a" "b" {\n  v = local.l59\n}\n',
    "doubling lists": "locals {\n  l0 = [1, 2, 3]\n"
    + "".join(f"  l{n} = concat(local.l{n - 1}, local.l{n - 1})\n" for n in range(1, 60))
    + '}\nresource "a" "b" {\n  v = local.l59\n}\n',
    "nesting lists": "locals {\n  l0 = [1]\n"
    + "".join(f"  l{n} = [local.l{n - 1}, local.l{n - 1}]\n" for n in range(1, 60))
    + '}\nresource "a" "b" {\n  v = local.l59\n}\n',
    "loops in loops": 'locals {\n  r = range(1000)\n}\nresource "a" "b" {\n'
    "  v = [for a in local.r : [for b in local.r : [for c in local.r : a + b + c]]]\n}\n",
    "a product": 'resource "a" "b" {\n  v = setproduct(range(1000), range(1000), range(1000))\n}\n',
    "a backtracking expression": f'resource "a" "b" {{\n  v = regex("(a+)+$", "{"a" * 5_000}!")\n}}\n',
    "a polynomial expression": f'resource "a" "b" {{\n  v = replace("{"a" * 5_000}", "/a*a*a*a*a*b/", "")\n}}\n',
    "a wide format": 'resource "a" "b" {\n  v = format("%999999999s", "x")\n}\n',
    "a long number": f'resource "a" "b" {{\n  v = {"9" * 100_000}\n}}\n',
    "a large power": 'resource "a" "b" {\n  v = pow(9, 999999999)\n}\n',
    "squares": "locals {\n  l0 = 7\n"
    + "".join(f"  l{n} = local.l{n - 1} * local.l{n - 1}\n" for n in range(1, 60))
    + '}\nresource "a" "b" {\n  v = local.l59\n}\n',
    "a laughing YAML": 'resource "a" "b" {\n  v = yamldecode("a: &a [x,x,x,x,x,x,x,x,x]\\n'
    + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\\n" for n in range(12))
    + '")\n}\n',
    "deep YAML": f'resource "a" "b" {{\n  v = yamldecode("{"[" * 50_000}")\n}}\n',
    "deep JSON": f'resource "a" "b" {{\n  v = jsondecode("{"[" * 50_000}")\n}}\n',
    "many resources": "".join(f'resource "a" "r{n}" {{\n  count = 1000\n  v = count.index\n}}\n' for n in range(2_000)),
    "dependencies": "".join(
        f'resource "a" "r{n}" {{\n  depends_on = [{", ".join(f"a.r{m}" for m in range(max(0, n - 5), n))}]\n}}\n'
        for n in range(1_000)
    ),
}

RUN = """
import json, resource, sys, time
from pathlib import Path
from preflight.sources.terraform.hcl.reader import read_root
started = time.perf_counter()
declared = read_root(Path(sys.argv[1]), Path(sys.argv[1]))
seconds = time.perf_counter() - started
good = [one.values.get("v") for one in declared.resources if one.address == "a.good"]
said = [str(one.place) for one in declared.omissions]
status = Path("/proc/self/status")
if status.exists():  # the peak that resource tells starts with what the starting process had
    (peak,) = [int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM")]
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024 * 1024)
print(json.dumps({"seconds": seconds, "peak": peak, "good": good, "omissions": said}))
"""


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_read_within_bounds(name, tmp_path):
    """In a process of its own, so that its memory is its own and a crash would be seen."""
    import json

    (tmp_path / "hostile.tf").write_text(HOSTILE[name], encoding="utf-8")
    (tmp_path / "a_good.tf").write_text(GOOD, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path)], capture_output=True, text=True, check=False, timeout=SECONDS * 3
    )
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(done.stdout)
    assert result["good"] == [1]
    assert result["seconds"] < SECONDS
    assert result["peak"] < MEGABYTES


def holds_unsettled(value):
    while isinstance(value, list):
        value = value[0]
    return isinstance(value, Unsettled)


@pytest.mark.parametrize(
    "name",
    [
        "brackets in a block",
        "negations",
        "a sum",
        "attributes",
        "a long chain of locals",
        "doubling texts",
        "doubling lists",
        "nesting lists",
        "loops in loops",
        "a product",
        "a backtracking expression",
        "a polynomial expression",
        "a wide format",
        "a long number",
        "a large power",
        "squares",
        "a laughing YAML",
    ],
)
def test_past_a_limit_a_value_is_unsettled_or_an_omission_tells(name, read):
    declared = read(HOSTILE[name], limits=Limits(steps=300_000))
    found = [one for one in declared.resources if one.address == "a.b"]
    assert declared.omissions or holds_unsettled(found[0].values["v"])


def test_a_broken_file_says_where_and_the_rest_is_read(read):
    broken = 'resource "a" "before" {\n  v = 1\n}\n\nresource "a" "broken" {\n  v = = 3\n}\n'
    declared = read({"broken.tf": broken, "good.tf": GOOD})
    (omission,) = declared.omissions
    assert (omission.place.file, omission.place.line) == ("broken.tf", 6)
    assert omission.place.column > 1
    assert omission.types is None
    by_address = {one.address: one for one in declared.resources}
    assert by_address["a.good"].values == {"v": 1}
    assert by_address["a.before"].maybe is None
    assert "a.broken" not in by_address or by_address["a.broken"].maybe is not None


def test_columns_count_characters(read):
    declared = read('resource "a" "b" {\n  v = ["ümläut", "日本", = ]\n}\n')
    assert declared.omissions[0].place.line == 2
    assert declared.omissions[0].place.column <= len('  v = ["ümläut", "日本", = ]')


@pytest.mark.parametrize(
    "text", ["", "\n", "# nothing\n", "\ufeff"], ids=["empty", "a line feed", "a comment", "a mark"]
)
def test_an_empty_file_declares_nothing(read, text):
    declared = read(text)
    assert declared.resources == ()
    assert declared.omissions == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "does not parse"),
        ("[", "does not parse"),
        ("[]", "no JSON object"),
        ('{"a": ' + "[" * 200_000, "nested too deep"),
        ('{"resource": ' * 150 + "{}" + "}" * 150, "nested too deep"),
    ],
)
def test_broken_json_says_where(read, text, says):
    declared = read({"main.tf.json": text, "good.tf": GOOD})
    assert says in declared.omissions[0].why
    assert declared.omissions[0].place.file == "main.tf.json"
    assert declared.omissions[0].place.line == 1
    assert [one.address for one in declared.resources] == ["a.good"]


def test_bytes_that_are_no_text_are_survived(read):
    declared = read({"main.tf": b"\xff\xfe\x00resource", "main.tf.json": b"\xff\xfe{", "good.tf": GOOD})
    assert {one.place.file for one in declared.omissions} == {"main.tf", "main.tf.json"}
    assert [one.address for one in declared.resources] == ["a.good"]


def test_a_module_that_calls_itself_is_an_omission(read):
    declared = read({"main.tf": GOOD + 'module "self" {\n  source = "./"\n}\n'})
    assert [one.address for one in declared.resources] == ["a.good"]
    assert "itself part of" in declared.omissions[0].why
    assert str(declared.omissions[0].place) == "main.tf:4"


def test_modules_in_a_circle_are_an_omission(read):
    declared = read(
        {
            "main.tf": 'module "a" {\n  source = "./a"\n}\n',
            "a/main.tf": 'module "b" {\n  source = "../b"\n}\n',
            "b/main.tf": GOOD + 'module "a" {\n  source = "../a"\n}\n',
        }
    )
    assert [one.address for one in declared.resources] == ["module.a.module.b.a.good"]
    assert str(declared.omissions[0].place) == "b/main.tf:4"


def test_modules_that_double_are_stopped(read):
    files = {"main.tf": "".join(f'module "{x}" {{\n  source = "./m0"\n}}\n' for x in "ab")}
    for level in range(18):
        calls = "".join(f'module "{x}" {{\n  source = "../m{level + 1}"\n}}\n' for x in "ab")
        files[f"m{level}/main.tf"] = calls
    files["m18/main.tf"] = GOOD
    started = time.perf_counter()
    declared = read(files, limits=Limits(modules=500))
    assert time.perf_counter() - started < SECONDS
    assert any("more than 500 modules" in one.why for one in declared.omissions)


def test_a_count_past_the_limit_is_one_instance_that_may_exist(read):
    (found,) = read('resource "a" "b" {\n  count = 20000\n  v = "x-${count.index}"\n  w = 1\n}\n').resources
    assert found.address == "a.b[*]"
    assert found.maybe is not None
    assert "20000" in found.maybe.why
    assert isinstance(found.values["v"], Unsettled)
    assert found.values["w"] == 1


@pytest.mark.parametrize(
    "outside", ["../outside", "../../../../../../../../etc", "link", "./inner/../../outside"], ids=str
)
def test_a_module_outside_of_the_repository_is_not_read(tmp_path, outside):
    repo = tmp_path / "repo"
    (repo / "inner").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "main.tf").write_text(GOOD)
    (repo / "link").symlink_to(tmp_path / "outside")
    source = outside if outside.startswith(".") else f"./{outside}"
    (repo / "main.tf").write_text(f'module "m" {{\n  source = "{source}"\n}}\n')
    declared = read_root(repo, repo)
    assert declared.resources == ()
    assert "outside the repository" in declared.omissions[0].why


@pytest.mark.parametrize("function", ["file", "filebase64", "filemd5", "filesha256", "fileexists"])
@pytest.mark.parametrize("path", ["../secret", "/etc/os-release", "../../../../../../../../etc/os-release", "link"])
def test_a_file_outside_of_the_repository_is_not_read(tmp_path, function, path):
    repo = tmp_path / "repo"
    repo.mkdir()
    (tmp_path / "secret").write_text("hunter2")
    (repo / "link").symlink_to(tmp_path / "secret")
    (repo / "main.tf").write_text(f'resource "a" "b" {{\n  v = {function}("{path}")\n}}\n')
    (found,) = read_root(repo, repo).resources
    assert isinstance(found.values["v"], Unsettled)
    assert "outside the repository" in found.values["v"].why
    assert "hunter2" not in repr(found)


def test_a_template_outside_of_the_repository_is_not_read(tmp_path):
    repo = tmp_path / "repo"
    repo.mkdir()
    (tmp_path / "secret").write_text("hunter2")
    (repo / "main.tf").write_text('resource "a" "b" {\n  v = try(templatefile("../secret", {}), "fallback")\n}\n')
    (found,) = read_root(repo, repo).resources
    assert isinstance(found.values["v"], Unsettled)


def test_links_in_a_loop_are_survived(tmp_path):
    (tmp_path / "a.tf").symlink_to(tmp_path / "b.tf")
    (tmp_path / "b.tf").symlink_to(tmp_path / "a.tf")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "good.tf").write_text(GOOD + 'module "m" {\n  source = "./loop"\n}\n')
    declared = read_root(tmp_path, tmp_path)
    assert [one.address for one in declared.resources] == ["a.good"]
    assert sorted(one.place.file for one in declared.omissions) == ["a.tf", "b.tf", "good.tf"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.tf")
    (tmp_path / "good.tf").write_text(GOOD)
    declared = read_root(tmp_path, tmp_path)
    assert "no regular file" in declared.omissions[0].why
    assert [one.address for one in declared.resources] == ["a.good"]


def test_a_file_too_large_is_an_omission(read):
    declared = read({"large.tf": "#" * 3_000_000, "good.tf": GOOD})
    assert "larger than" in declared.omissions[0].why
    assert declared.omissions[0].place.file == "large.tf"
    assert [one.address for one in declared.resources] == ["a.good"]


def test_a_file_that_vanishes_meanwhile_is_an_omission(tmp_path, monkeypatch):
    (tmp_path / "gone.tf").write_text(GOOD)
    (tmp_path / "here.tf").write_text('resource "a" "here" {}\n')
    library = Library(tmp_path)
    names = library.repository.names

    def list_and_remove(folder):
        found = names(folder)
        Path(folder, "gone.tf").unlink(missing_ok=True)
        return found

    monkeypatch.setattr(library.repository, "names", list_and_remove)
    declared = read_root(library, tmp_path)
    assert [one.place.file for one in declared.omissions] == ["gone.tf"]
    assert [one.address for one in declared.resources] == ["a.here"]


def test_a_root_that_is_not_there_is_an_omission(tmp_path):
    declared = read_root(tmp_path, tmp_path / "nothing")
    assert declared.resources == ()
    assert len(declared.omissions) == 1


def test_a_broken_variables_file_is_an_omission(read):
    declared = read({"main.tf": GOOD, "terraform.tfvars": "a = = 1\n"})
    assert declared.omissions[0].place.file == "terraform.tfvars"


def test_steps_are_limited(read):
    declared = read("".join(f'resource "a" "r{n}" {{\n  v = {n}\n}}\n' for n in range(100)), limits=Limits(steps=1_000))
    assert 0 < len(declared.resources) < 100
    assert "1000 steps" in declared.omissions[0].why
