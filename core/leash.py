"""Start a program that ends when its starter ends, and that keeps to its CPU cores.

``python -m cinelex.core.leash STARTER CORES PROGRAM ARGUMENTS...``, where STARTER is the process
id of whoever starts this, and CORES is like ``0,1``, or ``-`` for any. The program takes this
process over, so its process id is the one that the starter knows.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1
"""Ask Linux for a signal at the death of the thread that started this process; see prctl(2)."""


def leashed(*command: str, cores: str = "-") -> list[str]:
    """Return a command that ends with this process, by whatever signal this one ends."""
    return [sys.executable, "-m", "cinelex.core.leash", str(os.getpid()), cores, *command]


def run(starter: int, cores: str, command: Sequence[str]) -> None:
    """Become ``command``, pinned and leashed where the system can do that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if cores != "-":
            os.sched_setaffinity(0, {int(core) for core in cores.split(",")})
    if os.getppid() != starter:  # it died before the signal was asked for, or Python was up
        sys.exit(128 + signal.SIGTERM)
    os.execvp(command[0], list(command))  # noqa: S606  a list of arguments, and no shell


if __name__ == "__main__":
    run(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
