"""``--run_mode profile``: a trace of a few steps, and a table of where a step goes."""

import gzip
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from cinelex.config.schema import RunConfig
from cinelex.core.distributed import is_main
from cinelex.core.files import write_whole
from cinelex.projects.interface.project import Project
from cinelex.runners.feed import fed
from cinelex.runners.meter import Meter, wait_for
from cinelex.runners.train import Trainer

WARM_UP = 2
"""Steps before the first that is looked at."""
STEP = "step: "
"""What the names of a step's parts begin with."""
OPERATIONS = 20
"""The costliest that the table lists."""


def profile_steps(
    project: Project[Any, Any], config: RunConfig, device: torch.device, folder: Path, *, steps: int
) -> list[str]:
    """Train a few steps from fresh weights, write what they cost, and return it as lines.

    Nothing of the run itself is read or written. All ranks call it; the main one writes
    ``profile/trace.json.gz``, for Perfetto or chrome://tracing, and ``profile/profile.md``.
    """
    with TemporaryDirectory() as elsewhere:
        trainer = Trainer(project, config, folder=Path(elsewhere), device=device, provenance={})
        trainer.model.train()
        batches = fed(project.batches(0), device)
        for _ in range(WARM_UP):
            _update(trainer, batches)
        trainer.meter.restart()
        activities = [ProfilerActivity.CPU]
        if device.type == "cuda":
            activities.append(ProfilerActivity.CUDA)
        with profile(activities=activities, record_shapes=False) as found:
            for _ in range(steps):
                _update(trainer, batches)
            wait_for(device)
        lines = _lines(found.key_averages(), device, trainer.meter, steps)
        trainer.books.close()
        if is_main():
            _write(found, folder / "profile", lines)
    return [*lines, "", f"written: {folder / 'profile' / 'trace.json.gz'}"]


def _update(trainer: Trainer[Any], batches: Any) -> None:
    with torch.profiler.record_function(f"{STEP}wait for the batch"):
        given = next(batches)
    trainer.update(given.batch, given.on_device)


def _lines(events: Iterable[Any], device: torch.device, meter: Meter, steps: int) -> list[str]:
    """Return both tables."""
    on_gpu, speeds = device.type == "cuda", meter.numbers()
    rows = [
        (event.key, event.cpu_time_total, event.self_cpu_time_total, _on_device(event), event.count)
        for event in events
    ]
    parts = [row for row in rows if row[0].startswith(STEP)]
    whole = sum(row[1] for row in parts)
    lines = [
        f"A step of {steps}, on {torch.cuda.get_device_name(device) if on_gpu else 'the CPU'}, "
        f"with the profiler on: {', '.join(f'{n} {v:.4g}' for n, v in speeds.items())}.",
        "",
        "| part of a step | ms of the clock on the CPU | share | ms on the GPU |",
        "|---|---|---|---|",
        *(
            f"| {key.removeprefix(STEP)} | {cpu / steps / 1e3:.2f} | {cpu / whole:.0%} | "
            f"{gpu / steps / 1e3:.2f} |"
            for key, cpu, _, gpu, _ in parts
        ),
        "",
        "| operation | times a step | ms a step by itself |",
        "|---|---|---|",
    ]
    own = [
        (key, gpu if on_gpu else alone, count)
        for key, _, alone, gpu, count in rows
        if not key.startswith(STEP)
    ]
    for key, taken, count in sorted(own, key=lambda row: -row[1])[:OPERATIONS]:
        lines.append(f"| {key} | {count / steps:.0f} | {taken / steps / 1e3:.3f} |")
    return lines


def _on_device(event: Any) -> float:
    return float(getattr(event, "self_device_time_total", 0.0))


def _write(found: profile, folder: Path, lines: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as elsewhere:
        plain = Path(elsewhere) / "trace.json"
        found.export_chrome_trace(str(plain))
        write_whole(folder / "trace.json.gz", gzip.compress(plain.read_bytes()))
    write_whole(folder / "profile.md", "\n".join(lines) + "\n")
