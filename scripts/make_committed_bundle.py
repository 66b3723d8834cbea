"""Writes bundles of this version's schema to tests/bundle/committed, with the verdicts that go with them.

    python -m scripts.make_committed_bundle

Made once for each schema version, of the demo's invented worlds, and replayed in the tests for ever: what is there is
never written again.
"""

import json
import sys
import tempfile
from pathlib import Path

from preflight.bundle.contents import VERSION
from preflight.emulator import Emulator, World
from tests.end_to_end.conftest import whole_process

FOLDER = Path(__file__).parent.parent / "tests" / "bundle" / "committed" / VERSION
RUN = ("run", "--project", "acme-analytics", "--location", "EU", "--dataset", "heap_production", "--no-files")


def main() -> int:
    """Writes what isn't there; 1 if all is."""
    made = 0
    for world in World.demos():
        for redaction in ("default", "none"):
            name = world if redaction == "default" else f"{world}-in-full"
            if (FOLDER / f"{name}.zip").exists():
                print(f"{name} is there already, and stays as it is")
                continue
            write(world, redaction, FOLDER / name)
            made += 1
    return 0 if made else 1


def write(world: str, redaction: str, path: Path) -> None:
    """One bundle, and what its replay must come to."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with Emulator(World.demo(world)) as cloud, tempfile.TemporaryDirectory() as home:
        environ = {**cloud.environ(caller="admin@acme.example"), "PREFLIGHT_HOME": home}
        options = ("--format", "json", "--bundle", f"{path}.zip", "--redact", redaction)
        # The report on stdout would be redacted as well; the verdicts are the same.
        done = whole_process(*RUN, *options, environ=environ)
    report = json.loads(done.out)
    verdicts = {finding["rule"]: finding["verdict"] for finding in report["findings"]}
    expected = {"exit_code": report["exit_code"], "verdict": report["verdict"], "findings": verdicts}
    Path(f"{path}.json").write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")
    print(f"{path.name}: {report['verdict']}")


if __name__ == "__main__":
    sys.exit(main())
