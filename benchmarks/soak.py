"""Kill a training a hundred times at random moments, and compare its end with a run never killed.

    python -m benchmarks.soak [--kills 100] [--seed 0]

Every life is a forked process that goes on from the newest checkpoint. A thread in it waits for a
drawn number of steps, then for a drawn part of a tenth of a second, and sends SIGKILL to its own
process: between steps, in a step, and while a checkpoint is written beside the training.
"""

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import torch

from cinelex.config.load import load_config
from cinelex.core import checkpoint
from cinelex.core.randomness import numpy_generator
from cinelex.projects import open_project
from cinelex.runners.train import Trainer
from tests.tiny_run import MULTITASK, arguments, rows

STEPS, EVERY = 120, 3
MAX_STEPS_OF_A_LIFE = 12
SETTINGS = (f"steps={STEPS}", f"checkpoint_every={EVERY}", "validate_every=10", "log_every=4")


def main() -> int:
    """Return 0 if every run that was killed ended like the one that was not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        soak = Soak(folder, seed=options.seed)
        soak.live(folder / "whole", life=-1)
        kills, runs, where = 0, 0, {"between": 0, "in a checkpoint": 0}
        while kills < options.kills:
            run = folder / f"killed-{runs}"
            while soak.live(run, life=kills if kills < options.kills else -1):
                kills += 1
                half = any((run / "checkpoints").glob(".part-*"))
                where["in a checkpoint" if half else "between"] += 1
            runs += 1
            compare(run, folder / "whole")
    sys.stdout.write(
        f"{kills} kills in {runs} runs of {STEPS} steps, {where['in a checkpoint']} while a "
        f"checkpoint was written: weights and moments equal to the bit, every step recorded once; "
        f"{time.monotonic() - began:.0f} s\n"
    )
    return 0


class Soak:
    """Runs of one project, whose data are opened once."""

    def __init__(self, folder: Path, *, seed: int) -> None:
        self.seed = seed
        command = arguments(folder, folder / "cache", "name=data", *SETTINGS)
        self.config = load_config(MULTITASK, [item for item in command if "=" in item])
        self.project = open_project(self.config, folder / "data")

    def live(self, run: Path, *, life: int) -> bool:
        """Train in a forked process; return True if it was killed. Life -1 is not."""
        child = os.fork()
        if child == 0:
            self._train(run, life)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in (0, -signal.SIGKILL), f"life {life} ended with {status}"
        return status != 0

    def _train(self, run: Path, life: int) -> None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        trainer = Trainer(
            self.project,
            self.config,
            folder=run,
            device=torch.device("cpu"),
            provenance={"config": "c", "data": "d", "code": "e"},
        )
        if life >= 0:
            draw = numpy_generator(self.seed, "life", life)
            last = trainer.step + int(draw.integers(MAX_STEPS_OF_A_LIFE))
            pause = float(draw.uniform(0, 0.1))
            threading.Thread(target=_die, args=(trainer, last, pause), daemon=True).start()
        trainer.run()


def _die(trainer: Trainer[Any], last: int, pause: float) -> None:
    while trainer.step < last:
        time.sleep(0.001)
    time.sleep(pause)
    os.kill(os.getpid(), signal.SIGKILL)


def compare(run: Path, other: Path) -> None:
    """Stop if two runs differ in a bit of their end or in a line of their record."""
    end = f"checkpoints/step-{STEPS}"
    for name in ("model", "optimizer", "random"):
        file = f"{end}/{name}.safetensors"
        assert (run / file).read_bytes() == (other / file).read_bytes(), name
    assert rows(run) == rows(other)
    assert [row["step"] for row in rows(run) if row["kind"] == "step"] == [*range(1, STEPS + 1)]
    found = checkpoint.newest(run / "checkpoints")
    assert found is not None
    assert found.path == run / end


if __name__ == "__main__":
    sys.exit(main())
