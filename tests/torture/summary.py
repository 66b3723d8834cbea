"""What the tests under fire have to show at the end of a run: sizes, times, the table of faults.

A plugin (`pytest -p tests.torture.summary`), because with several workers the process that prints loads no conftest
but the uppermost.
"""

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Prints it."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties:
            if report.when == "call" and name.startswith("torture: "):
                terminalreporter.write_line(f"{name.removeprefix('torture: ')}: {value}")
