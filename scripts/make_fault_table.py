"""Makes docs/faults.md: runs the whole matrix of faults, which takes a few minutes.

python -m scripts.make_fault_table            writes it
python -m scripts.make_fault_table --check    exits 1 if it differs
"""

import sys
from pathlib import Path

from tests.torture.matrix import cells, outcome, side_by_side
from tests.torture.table import document, for_terminal

PAGE = Path(__file__).parent.parent / "docs" / "faults.md"
AT_ONCE = 12


def main() -> int:
    """Runs, prints the table with its times, and writes or compares the page."""
    with side_by_side(AT_ONCE) as run:
        outcomes = list(run(outcome, cells()))
    # Beside a dozen others even an answer in time may come too late.
    late = [n for n, found in enumerate(outcomes) if found.late]
    with side_by_side(1) as run:
        for n, found in zip(late, run(outcome, [outcomes[n].cell for n in late]), strict=True):
            outcomes[n] = found
    print(f"{len(late)} cells were run once more, alone")
    print(for_terminal(outcomes))
    broken = [f"{found.cell}: {'; '.join(found.problems)}" for found in outcomes if found.problems]
    if broken:
        print("Broken promises, so nothing is written:", *broken, sep="\n", file=sys.stderr)
        return 1
    text = document(outcomes)
    if "--check" in sys.argv[1:]:
        same = PAGE.read_text(encoding="utf-8") == text
        print(f"docs/faults.md {'is' if same else 'differs from'} what {len(outcomes)} runs gave")
        return 0 if same else 1
    PAGE.write_text(text, encoding="utf-8")
    print(f"{len(outcomes)} runs: docs/faults.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
