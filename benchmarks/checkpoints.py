"""What a checkpoint costs the training, and what it costs to go on in the middle of an epoch.

    python -m benchmarks.checkpoints [--millions 20]

P9: seconds that training stands still for a snapshot, beside those of a blocking save of the same
tensors by this project and by ``torch.save`` with fsync. P10: seconds to the batch of a step in the
middle of an epoch, by look-up and by skipping all batches before it.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import nn

from cinelex.core.checkpoint import Position
from cinelex.core.files import sync_folder
from cinelex.data.sampler import StudySampler
from cinelex.runners import saving
from cinelex.runners.restore import restore
from cinelex.runners.snapshot import Snapshots

REPEATS = 5


def seconds(run: Callable[[], object]) -> float:
    """Return the median of a few times, after one that is not counted."""
    run()
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def measure_checkpoints(millions: float) -> None:
    """Print P9."""
    width = 1024
    layers = max(1, round(millions * 1e6 / width**2))
    model = nn.Sequential(*(nn.Linear(width, width) for _ in range(layers)))
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    model(torch.randn(2, width)).sum().backward()
    optimizer.step()
    snapshots, position = Snapshots(model, optimizer), Position(step=1, records=0, skipped=0)

    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)

        def take() -> object:
            return snapshots.take(position, provenance={})

        def save() -> object:
            return saving.write(folder, snapshots.take(position, provenance={}), keep=1)

        def torch_save() -> None:
            with (folder / "other.pt").open("wb") as stream:
                torch.save(
                    {"model": model.state_dict(), "optimizer": optimizer.state_dict()}, stream
                )
                os.fsync(stream.fileno())
            sync_folder(folder)

        size = snapshots.take(position, provenance={}).bytes
        stall, blocking, plain = seconds(take), seconds(save), seconds(torch_save)
        back = seconds(lambda: restore(folder, model=model, optimizer=optimizer))
    sys.stdout.write(
        f"P9: {size / 2**20:.0f} MiB; stall {stall:.3f} s, {stall / blocking:.1%} of a blocking "
        f"save ({blocking:.2f} s with hashes and fsync); torch.save and fsync {plain:.2f} s; "
        f"verified restore {back:.2f} s\n"
    )


def measure_resume() -> None:
    """Print P10: two lengths of an epoch, so that growth can be seen."""
    for studies in (100_000, 1_000_000):
        sampler = StudySampler(studies=studies, batch=32, seed=0)
        middle = sampler.steps_per_epoch // 2
        order = seconds(partial(_fresh, sampler, middle))
        look_up = seconds(partial(sampler.batch_at, middle))
        skip = seconds(partial(_skip, sampler, middle))
        sys.stdout.write(
            f"P10: {studies:,} studies: batch of step {middle:,} by look-up {1e6 * look_up:.0f} µs "
            f"(+ {1e3 * order:.0f} ms once, the order of the epoch); by skipping {skip:.2f} s\n"
        )


def _fresh(sampler: StudySampler, step: int) -> object:
    return StudySampler(studies=sampler.studies, batch=sampler.batch, seed=1).batch_at(step)


def _skip(sampler: StudySampler, step: int) -> None:
    for earlier in range(step + 1):
        sampler.batch_at(earlier)


def main() -> int:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millions", type=float, default=20.0, help="parameters")
    measure_checkpoints(parser.parse_args().millions)
    measure_resume()
    return 0


if __name__ == "__main__":
    sys.exit(main())
