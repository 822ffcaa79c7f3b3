"""What a checkpoint costs the training, and what it costs to go on in the middle of an epoch.

    python -m benchmarks.checkpoints [--quick]

P9: seconds that training stands still for a snapshot, beside those of a blocking save of the same
tensors by this project and by ``torch.save`` with fsync, and beside a plain copy. P10: seconds to
the batch of a step in the middle of an epoch, by look-up and by skipping all batches before it.
"""

import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.distributed.checkpoint.state_dict_saver import async_save

from benchmarks.series import Row, main, once
from cinelex.core.checkpoint import Position
from cinelex.core.files import sync_folder
from cinelex.data.sampler import StudySampler
from cinelex.runners import saving
from cinelex.runners.restore import restore
from cinelex.runners.snapshot import Snapshots

REPEATS = 9


def seconds(run: Callable[[], object]) -> float:
    """Return the least of a few times by the clock, after one that is not counted.

    Other work only adds: a copy of 5 ms that loses its core takes 30.
    """
    run()
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return min(times)


def checkpoint_rows(millions: float) -> list[Row]:
    """Return P9, of so many million parameters."""
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

        def dcp_stall() -> None:
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
            began = time.perf_counter()
            written: Any = async_save(state, checkpoint_id=folder / "dcp", no_dist=True)
            stalls.append(time.perf_counter() - began)
            written.result()

        stalls: list[float] = []
        size = snapshots.take(position, provenance={}).bytes
        stall, blocking, plain = seconds(take), seconds(save), seconds(torch_save)
        seconds(dcp_stall)
        theirs = min(stalls[1:])
        back = seconds(lambda: restore(folder, model=model, optimizer=optimizer))
        copied = torch.empty(size, dtype=torch.uint8)
        copy = seconds(partial(copied.copy_, torch.ones_like(copied)))
    what = f"checkpoint of {size / 2**20:.0f} MiB, training stands still"
    return [
        _row("P9", what, f"{stall:.3f} s", f"own blocking save {blocking:.2f} s", stall / blocking),
        _row("P9", what, f"{stall:.3f} s", f"torch.save and fsync {plain:.2f} s", stall / plain),
        replace(
            _row("P9", what, f"{stall:.4f} s", f"a copy of so many bytes {copy:.4f} s", 0),
            ratio=once(stall / copy),
            goal=1.5,
        ),
        replace(
            _row("P9", what, f"{stall:.3f} s", f"DCP async_save {theirs:.3f} s", stall / theirs),
            goal=1.0,
        ),
        replace(
            _row("P9", "restore, verified", f"{back:.2f} s", f"blocking save {blocking:.2f} s", 0),
            ratio=once(back / blocking),
            goal=1.0,
        ),
    ]


def _row(number: str, what: str, figure: str, beside: str, ratio: float) -> Row:
    return Row(number=number, what=what, figure=figure, beside=beside, ratio=once(ratio), goal=0.05)


def resume_row(studies: int) -> Row:
    """Return P10: the batch of a step in the middle of an epoch."""
    sampler = StudySampler(studies=studies, batch=32, seed=0)
    middle = sampler.steps_per_epoch // 2
    order = seconds(partial(_fresh, sampler, middle))
    look_up = seconds(partial(sampler.batch_at, middle))
    skip = seconds(partial(_skip, sampler, middle))
    return _row(
        "P10",
        f"batch of step {middle:,} of {studies:,} studies, by look-up",
        f"{1e6 * look_up:.0f} µs, and once {1e3 * order:.0f} ms for the order of the epoch",
        f"by skipping {skip:.3f} s",
        look_up / skip,
    )


def _fresh(sampler: StudySampler, step: int) -> object:
    return StudySampler(studies=sampler.studies, batch=sampler.batch, seed=1).batch_at(step)


def _skip(sampler: StudySampler, step: int) -> None:
    for earlier in range(step + 1):
        sampler.batch_at(earlier)


def rows(quick: bool) -> list[Row]:
    """Measure all."""
    warnings.filterwarnings("ignore", module="torch.distributed")  # one process alone, on purpose
    saved = checkpoint_rows(4.0 if quick else 20.0)
    return [*saved, *(resume_row(count) for count in (100_000, 1_000_000))]


if __name__ == "__main__":
    sys.exit(main(rows, "benchmarks.checkpoints"))
