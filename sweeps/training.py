"""The training processes of a sweep: where they run, why they ended, and what they recorded."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cinelex.core.cores import core_numbers
from cinelex.core.errors import UserError
from cinelex.core.exit_codes import HUNG, INTERRUPTED, LOST_PEER, PREEMPTED
from cinelex.core.leash import leashed
from cinelex.core.locks import in_use
from cinelex.sweeps.settings import BASE_FILE, Sweep, Task, overrides

PROGRAM, LAUNCHER = "cinelex.scripts.main", "cinelex.scripts.launch"
"""What a trial runs, alone and in several processes; nothing else is ever run."""
POLL_S = 1.0
"""Time between two looks at a process."""
ORPHAN_S = 180.0
"""Time that the process of a dead starter gets to save and leave."""
MAX_KILLED = 5
"""Times that a configuration is begun again after its process was killed."""
SAVED = (PREEMPTED, INTERRUPTED)
"""Exit codes of a process that was told to leave, and goes on from there."""

Popen = subprocess.Popen[bytes]


@dataclass(frozen=True)
class Slot:
    """A trial's share of the machine."""

    number: int
    gpus: tuple[str, ...] = ()
    """Names of its GPUs, as CUDA_VISIBLE_DEVICES takes them; none for a CPU slot."""
    cores: tuple[int, ...] = ()
    """CPU cores that it keeps to; none for any."""

    @property
    def processes(self) -> int:
        """Return how many training processes a trial has: one a GPU, or one."""
        return max(1, len(self.gpus))

    def environment(self) -> dict[str, str]:
        """Return this process's environment, changed so that a trial sees its share only."""
        changed = {"CUDA_VISIBLE_DEVICES": ",".join(self.gpus)}
        if self.cores:
            changed["OMP_NUM_THREADS"] = str(max(1, len(self.cores) // self.processes))
        # a trial has a W&B service of its own: it must outlive whoever started it
        kept = {name: value for name, value in os.environ.items() if name != "WANDB_SERVICE"}
        return {**kept, **changed}

    def command(self, module: str, *arguments: str) -> list[str]:
        """Return the command line of a Python module that ends with its starter, this process."""
        cores = ",".join(str(core) for core in self.cores) or "-"
        return leashed(sys.executable, "-m", module, *arguments, cores=cores)


def gpu_slots(gpus: Sequence[str], *, gpus_per_trial: int) -> list[Slot]:
    """Share GPUs out in groups.

    Raises:
        UserError: They cannot be shared out evenly, or one is named twice.
    """
    if len(set(gpus)) != len(gpus):
        raise UserError(f"--selected_gpus names a GPU twice: {','.join(gpus)}")
    if len(gpus) % gpus_per_trial:
        raise UserError(
            f"--gpus_per_trial {gpus_per_trial} does not divide the {len(gpus)} selected GPUs"
        )
    firsts = range(0, len(gpus), gpus_per_trial)
    groups = [tuple(gpus[first : first + gpus_per_trial]) for first in firsts]
    return [Slot(number, group) for number, group in enumerate(groups)]


def cpu_slots(workers: int, *, cores: Sequence[int] | None = None) -> list[Slot]:
    """Share the CPU cores that this process may use out evenly; what is left over stays idle.

    Raises:
        UserError: There are more workers than cores.
    """
    free = core_numbers() if cores is None else list(cores)
    each = len(free) // workers
    if each == 0:
        raise UserError(f"--workers {workers} is more than the {len(free)} CPU cores there are")
    shares = [tuple(free[number * each : (number + 1) * each]) for number in range(workers)]
    return [Slot(number, cores=share) for number, share in enumerate(shares)]


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
        self.sweep, self.size = sweep, len(slots)
        self.taken: dict[Slot, Popen | None] = dict.fromkeys(slots)

    def start(self, task: Task) -> Process:
        """Start a run in the first slot in which none lives."""
        free = (slot for slot, had in self.taken.items() if had is None or had.poll() is not None)
        slot = next(free)
        self.taken[slot] = process = start(self.sweep, task, slot)
        return process


def command(sweep: Sweep, task: Task, slot: Slot, *more: str) -> list[str]:
    """Return the command line of a task: a list of arguments that no shell ever reads."""
    arguments = ["--base_config", str(sweep.folder / BASE_FILE), *more, *overrides(sweep, task)]
    if slot.processes > 1:
        return slot.command(LAUNCHER, "--processes", str(slot.processes), *arguments)
    return slot.command(PROGRAM, *arguments)


def start(sweep: Sweep, task: Task, slot: Slot) -> Popen:
    """Start a task in its folder, where it goes on from the checkpoint that is there.

    Raises:
        UserError: Another process still runs it, though its starter is dead.
    """
    folder, deadline = sweep.trials / task.name, time.monotonic() + ORPHAN_S
    while in_use(folder):
        if time.monotonic() > deadline:
            raise UserError(f"{folder}: another process still runs it; stop it, then --resume")
        time.sleep(POLL_S / 10)
    return launch(command(sweep, task, slot), slot, log_of(sweep, task.name))


def launch(words: Sequence[str], slot: Slot, log: Path) -> Popen:
    """Start a command of a slot; its output goes to the end of a log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as stream:
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=slot.environment(),
            start_new_session=True,  # Ctrl-C reaches the starter, which then asks politely
        )


def finish(process: Popen) -> int:
    """Wait for a process and return its exit code; whatever interrupts that, it saves and ends."""
    try:
        while (code := process.poll()) is None:
            time.sleep(POLL_S)  # an exception from another thread comes between two looks only
        return code
    finally:
        process.terminate()
        process.wait()


def is_killed(code: int) -> bool:
    """Return whether a process ended by a signal, its own or its child's, or for lack of a peer."""
    return code not in SAVED and (code < 0 or code > 128 or code in (HUNG, LOST_PEER))


def reason(sweep: Sweep, task: Task, code: int) -> str:
    """Return the one line that a program wrote about what is wrong."""
    log = log_of(sweep, task.name)
    return f"its process was killed ({code}); see {log}" if is_killed(code) else complaint(log)


def complaint(log: Path) -> str:
    """Return what the program whose output this is says where it refuses its input."""
    return last_line(log.read_text(errors="replace")) or f"no output; see {log}"


def last_line(said: str) -> str:
    """Return the last line of what a program says; empty where it says nothing."""
    return said.rstrip().rpartition("\n")[2].removeprefix("error: ")


def log_of(sweep: Sweep, name: str) -> Path:
    """Return where the output of the processes of a run, or an agent, is."""
    return sweep.folder / "logs" / f"{name}.log"
