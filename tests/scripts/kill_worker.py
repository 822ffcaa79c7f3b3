"""Runs a command line once for each place to die at, and is killed there each time.

The libraries are read once; each run is a forked child.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from cinelex.core import checkpoint
from cinelex.runners import saving
from cinelex.runners.record import Record
from cinelex.scripts.main import main
from tests.tiny_run import arguments

AFTER_STEP, IN_SAVE = 5, 4
PLACES = ("between-checkpoints", "in-a-checkpoint")


def die() -> None:
    """End this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_between_checkpoints(checkpoints: Path) -> None:
    """Die when a step after the first checkpoint has been recorded, and not been saved."""
    write: Callable[..., None] = Record.write

    def write_and_die(self: Record, kind: str, numbers: Any) -> None:
        write(self, kind, numbers)
        if kind == "step" and numbers["step"] == AFTER_STEP:
            # the checkpoint of step 4 is written by a thread of its own
            while IN_SAVE not in checkpoint.steps_saved(checkpoints):
                time.sleep(0.01)
            die()

    Record.write = write_and_die  # type: ignore[method-assign]


def die_in_a_checkpoint(_checkpoints: Path) -> None:
    """Die when the second checkpoint is half written."""
    save_file: Callable[..., None] = vars(saving)["save_tensors"]

    def save_and_die(tensors: Any, path: Path) -> None:
        save_file(tensors, path)
        if path.name == "optimizer.safetensors" and path.parent.name == f".part-{IN_SAVE}":
            die()

    vars(saving)["save_tensors"] = save_and_die


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))]).zero_grad()  # loads torch's compiler
    for place, prepare in zip(PLACES, (die_between_checkpoints, die_in_a_checkpoint), strict=True):
        child = os.fork()
        if child == 0:
            prepare(Path(sys.argv[1]) / place / "checkpoints")
            main(arguments(Path(sys.argv[1]), Path(sys.argv[2]), f"name={place}"))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), f"{place}: the run was not killed"
        assert os.WTERMSIG(status) == signal.SIGKILL
