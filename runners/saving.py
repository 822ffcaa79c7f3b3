"""Writing checkpoints, so that each is whole or not there."""

import os
import shutil
from pathlib import Path

from safetensors.torch import save_file

from cinelex.core.checkpoint import FORMAT, steps_saved
from cinelex.core.distributed import is_main
from cinelex.core.files import hash_file, sync_folder, write_json
from cinelex.runners.snapshot import Snapshot

PART, DAMAGED = ".part-", ".damaged-"
"""What the names of unfinished checkpoints, and of those put aside, begin with."""


def write(folder: Path, snapshot: Snapshot, *, keep: int) -> Path:
    """Write a snapshot below ``folder``; keep the newest ``keep`` checkpoints and the best.

    A crash at any moment leaves the older ones as they are, and this one whole or not there:
    files first, then what proves them, then the name.

    Raises:
        OSError: The disk refused; the part that was written is removed.
    """
    step = snapshot.position.step
    target, part = folder / f"step-{step}", folder / f"{PART}{step}"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        for name, tensors in snapshot.tensors.items():
            save_file(dict(tensors), part / f"{name}.safetensors")
        _seal(part, snapshot)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    if target.exists():
        shutil.rmtree(target)
    part.rename(target)
    sync_folder(folder)
    for old in steps_saved(folder)[:-keep]:
        if old != snapshot.position.best_step:
            shutil.rmtree(folder / f"step-{old}")
    return target


def _seal(part: Path, snapshot: Snapshot) -> None:
    for path in part.iterdir():
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    state = {
        "format": FORMAT,
        "position": vars(snapshot.position),
        "provenance": dict(snapshot.provenance),
        "notes": dict(snapshot.notes),
        "processes": snapshot.processes,
        "files": {path.name: hash_file(path) for path in sorted(part.iterdir())},
    }
    write_json(part / "state.json", state)


def remove_leftovers(folder: Path) -> None:
    """Remove what a crash left half-written. Only for the one run that writes to ``folder``."""
    if is_main():
        for leftover in folder.glob(f"{PART}*"):
            shutil.rmtree(leftover)


def put_aside_newer(folder: Path, path: Path) -> None:
    """Rename the checkpoints that are newer than ``path``: they are damaged, and not deleted."""
    chosen = int(path.name.removeprefix("step-"))
    if is_main():
        for step in steps_saved(folder):
            aside = folder / f"{DAMAGED}{step}"
            if step > chosen:
                shutil.rmtree(aside, ignore_errors=True)
                (folder / f"step-{step}").rename(aside)
