"""What a step of the shipped config costs: whole, in parts, recomputed, compiled, averaged.

Beside the parts stands what is usually called accumulation: the gradients of the parts added up,
which compares no sample with those of another part, and so has another contrastive term.

    python -m benchmarks.step_cost [--rounds 7]

The ways take turns, so that whatever else the machine does falls on all alike; the ratio is the
median over the rounds of each round's ratio to the plain step.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch.nn.utils import clip_grad_norm_

from cinelex.config.load import load_config
from cinelex.losses.weighted_sum import WeightedSum
from cinelex.projects import open_project
from cinelex.projects.interface.project import Project
from cinelex.runners.train import Trainer
from tests.tiny_run import MULTITASK

WAYS = {
    "plain": (),
    "2 parts": ("gradient_accumulation_steps=2",),
    "4 parts": ("gradient_accumulation_steps=4",),
    "activations recomputed": ("activation_checkpointing=true",),
    "moving average of the weights": ("ema_decay=0.999",),
    "compiled": ("compile=inductor",),
}
ADDED_UP = "4 parts, gradients added up (another loss)"
DATA = ("data.synthetic.train=64", "data.synthetic.val=4", "data.synthetic.test=4", "batch=32")


def trainer(folder: Path, name: str, overrides: tuple[str, ...]) -> Trainer[Any]:
    """Return a trainer of the shipped config, one way."""
    places = (f"folder={folder}", f"data.cache={folder / 'cache'}", "device=cpu", "threads=1")
    config = load_config(MULTITASK, [*places, *DATA, *overrides])
    project: Project[Any, Any] = open_project(config, folder / name)
    return Trainer(
        project,
        config,
        folder=folder / name,
        device=torch.device("cpu"),
        provenance={"config": "c", "data": "d", "code": "e"},
    )


def add_up(one: Trainer[Any], batch: Any) -> None:
    """Update from the gradients of 4 parts, each with its own contrastive term."""
    weights = one.project.weights(one.step)
    one.optimizer.zero_grad(set_to_none=True)
    for part in batch.split(4):
        (WeightedSum(weights)(one.project.terms(one.model, part)) / 4).backward()
    clip_grad_norm_(one.module.parameters(), one.config.max_grad_norm)
    one.optimizer.step()


def main() -> int:
    """Time a step of every way, in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    times: dict[str, list[float]] = {name: [] for name in (*WAYS, ADDED_UP)}
    with tempfile.TemporaryDirectory() as folder:
        ways = {**WAYS, ADDED_UP: ()}
        trainers = {name: trainer(Path(folder), name, more) for name, more in ways.items()}
        for place in range(rounds + 1):
            for name, one in trainers.items():
                batch = next(one.project.batches(place % 2))
                began = time.process_time()
                add_up(one, batch) if name == ADDED_UP else one.update(batch)
                if place:
                    times[name].append(time.process_time() - began)
    for name, own in times.items():
        ratios = [mine / plain for mine, plain in zip(own, times["plain"], strict=True)]
        sys.stdout.write(
            f"{name}: {1000 * statistics.median(own):.0f} ms of CPU time, "
            f"{statistics.median(ratios):.3f} times the plain step "
            f"({min(ratios):.3f} to {max(ratios):.3f})\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
