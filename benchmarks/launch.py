"""Runs a command and prints what it took: seconds, CPU seconds, peak memory as the system counts it, exit code.

A small process of its own, for Linux counts into a process's peak the memory of the one that it was forked from.

python -I -S launch.py PROGRAM [ARGUMENT ...]
"""

import os
import sys
import time

_AWAY = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)]


def main(command: list[str]) -> None:
    """Its own output is the one line; that of the command goes nowhere."""
    start = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=_AWAY)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - start
    print(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main(sys.argv[1:])
