"""Where a trial may run: GPUs or CPU cores that no other trial uses meanwhile."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from cinelex.core.errors import UserError


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
        leash = [sys.executable, "-m", "cinelex.sweeps.leash", str(os.getpid()), cores]
        return [*leash, sys.executable, "-m", module, *arguments]


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
    free = sorted(os.sched_getaffinity(0)) if cores is None else list(cores)
    each = len(free) // workers
    if each == 0:
        raise UserError(f"--workers {workers} is more than the {len(free)} CPU cores there are")
    shares = [tuple(free[number * each : (number + 1) * each]) for number in range(workers)]
    return [Slot(number, cores=share) for number, share in enumerate(shares)]
