"""Writing checkpoints, so that each is whole or not there."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save_file

from cinelex.core.checkpoint import FORMAT, steps_saved
from cinelex.core.distributed import is_main
from cinelex.core.files import hash_file, read_json, sync_folder, write_json
from cinelex.runners.snapshot import Snapshot

PART, DAMAGED = ".part-", ".damaged-"
"""What the names of unfinished checkpoints, and of those put aside, begin with."""


def write(folder: Path, snapshot: Snapshot, *, keep: int, before: Path | None = None) -> Path:
    """Write a snapshot below ``folder``; keep the newest ``keep`` checkpoints and the best.

    What does not change from one to the next lies on the disk once, under a name in each, where
    the disk can do so. A crash at any moment leaves the older ones as they are, and this one whole
    or not there: files first, then what proves them, then the name.

    Args:
        folder: Where the checkpoints are.
        snapshot: What to write.
        keep: How many of the newest stay.
        before: The checkpoint that was written before of the same run, if one was.

    Raises:
        OSError: The disk refused; the part that was written is removed.
    """
    step = snapshot.position.step
    target, part = folder / f"step-{step}", folder / f"{PART}{step}"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        known: dict[str, str] = {}
        for name, tensors in snapshot.tensors.items():
            file = f"{name}.safetensors"
            if before is not None and name in snapshot.unchanged and _linked(before, part, file):
                known[file] = read_json(before / "state.json")["files"][file]
            else:
                save_file(dict(tensors), part / file)
        _seal(part, snapshot, known)
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


def _linked(before: Path, part: Path, file: str) -> bool:
    """Give a file of another checkpoint a second name; False where the disk refuses."""
    try:
        os.link(before / file, part / file)
    except OSError:
        return False
    return True


def _seal(part: Path, snapshot: Snapshot, known: Mapping[str, str]) -> None:
    """Make sure that all is on the disk, and write what proves it.

    Args:
        part: The folder.
        snapshot: What was written.
        known: Hashes of files that were hashed before.
    """
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
        "files": {
            path.name: known.get(path.name) or hash_file(path) for path in sorted(part.iterdir())
        },
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
