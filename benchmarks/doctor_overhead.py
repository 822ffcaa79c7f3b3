"""What the doctor costs beside a step of the shipped recipe; writes into docs/why/doctor.md.

``python -m benchmarks.doctor_overhead [--folder runs/doctor] [--steps 12]``. CPU seconds of one
thread, so that other work on the machine does not count.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch

from benchmarks.doctor_document import table, write_between
from cinelex.config.load import load_config
from cinelex.config.schema import RunConfig
from cinelex.core.console import say
from cinelex.doctor.check import diagnose
from cinelex.doctor.evidence import Evidence
from cinelex.doctor.live.embeddings import EmbeddingProbe
from cinelex.doctor.live.gradients import GradientProbe
from cinelex.doctor.live.layers import LayerProbe
from cinelex.doctor.live.watch import EMBEDDINGS_EVERY, JUDGED_EVERY
from cinelex.doctor.live.weight_decay import WeightDecayProbe
from cinelex.losses.weighted_sum import WeightedSum
from cinelex.projects import open_project
from cinelex.runners.run_folder import open_for_training
from cinelex.runners.train import Trainer

CONFIG = Path("config/clip/multitask_config.yaml")


def seconds(what: Callable[[], Any], *, times: int) -> float:
    """Return the median CPU seconds of a call."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        what()
        taken.append(time.process_time() - start)
    return median(taken)


def measure(config: RunConfig, *, times: int) -> list[tuple[str, float, float]]:
    """Return, for a step and for each look, its CPU seconds and how many steps share it."""
    folder = open_for_training(config)
    project = open_project(config, folder.path)
    cpu = torch.device("cpu")
    trainer = Trainer(project, config, folder=folder.path, device=cpu, provenance={})
    trainer.model.train()
    batches = project.batches(0)
    trainer.update(next(batches))
    step = seconds(lambda: trainer.update(next(batches)), times=times)
    row = {"step": 1, **trainer.update(next(batches)).numbers()}
    gradients = GradientProbe(every=1)
    weights = project.weights(0)
    # behind the last update, which changes in place what the graph holds
    terms = project.terms(trainer.model, next(batches))

    def gradient() -> None:
        gradients.before_backward(trainer.module, terms)

    gradient()  # the first look also finds the shared block
    evidence = Evidence(config=config, steps=[row] * 1000)
    decay, layers = WeightDecayProbe(every=1), LayerProbe(every=1)
    embedding = EmbeddingProbe(project, every=1, units=True)

    def layer() -> None:
        layers.before_backward(trainer.module, terms)
        layers.after_update(trainer.module, trainer.optimizer)

    every = config.probe_every
    found = [
        ("step", step, 1.0),
        ("gradients of each term", seconds(gradient, times=times), every),
        (
            "decay beside update",
            seconds(
                lambda: decay.after_update(trainer.module, trainer.optimizer),
                times=times,
            ),
            every,
        ),
        ("layers and tensors", seconds(layer, times=times), every),
        (
            "embeddings and units",
            seconds(
                lambda: embedding.before_backward(trainer.module, terms),
                times=max(3, times // 3),
            ),
            EMBEDDINGS_EVERY * every,
        ),
        ("all rules, on 1,000 steps", seconds(lambda: diagnose(evidence), times=3), JUDGED_EVERY),
    ]
    WeightedSum(weights)(terms).backward()  # the graph outlived every look
    return found


def main(arguments: list[str] | None = None) -> int:
    """Measure, say and write the table; return 1 if the doctor costs 2 % or more."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("runs/doctor"))
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("overrides", nargs="*")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    places = [f"folder={options.folder / 'runs'}", f"data.cache={options.folder / 'cache'}"]
    config = load_config(
        CONFIG, [*places, "name=overhead", "device=cpu", "threads=1", *options.overrides]
    )
    found = measure(config, times=options.steps)
    step = found[0][1]
    shares = [cost / each / step for _, cost, each in found[1:]]
    rows = [
        (name, f"{1000 * cost:.1f}", f"{each:.0f}", f"{100 * cost / each / step:.2f} %")
        for name, cost, each in found[1:]
    ]
    rows = [
        ("a step", f"{1000 * step:.1f}", "1", "–"),
        *rows,
        ("**together**", "", "", f"**{100 * sum(shares):.2f} %**"),
    ]
    text = table(("what", "CPU ms", "once in … steps", "share of a step"), rows)
    write_between("overhead", text)
    say(text)
    return int(sum(shares) >= 0.02)


if __name__ == "__main__":
    sys.exit(main())
