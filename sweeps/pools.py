"""Where the runs of a sweep run."""

import subprocess
from collections.abc import Sequence
from typing import Protocol

from cinelex.sweeps.settings import Sweep
from cinelex.sweeps.slots import Slot
from cinelex.sweeps.task import Task
from cinelex.sweeps.training import start

MAX_KILLED = 5
"""Times that a configuration is begun again after its process was killed."""


class Process(Protocol):
    """A run, wherever it is."""

    def poll(self) -> int | None:
        """Return its exit code, or None while it lives."""

    def terminate(self) -> None:
        """Ask it to save and leave."""


class Pool(Protocol):
    """Room for several runs."""

    @property
    def size(self) -> int:
        """Return how many runs there is room for."""

    def start(self, task: Task) -> Process:
        """Start a run in its folder, where it goes on from the checkpoint that is there."""


class Processes:
    """Runs on this machine, each in a slot of its own."""

    def __init__(self, sweep: Sweep, slots: Sequence[Slot]) -> None:
        self.sweep = sweep
        self.taken: dict[Slot, subprocess.Popen[bytes] | None] = dict.fromkeys(slots)

    @property
    def size(self) -> int:
        """Return how many slots there are."""
        return len(self.taken)

    def start(self, task: Task) -> Process:
        """Start a run in the first slot in which none lives."""
        free = (slot for slot, had in self.taken.items() if had is None or had.poll() is not None)
        slot = next(free)
        self.taken[slot] = process = start(self.sweep, task, slot)
        return process
