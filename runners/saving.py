"""Writing checkpoints, so that each is whole or not there."""

import os
import shutil
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from cinelex.core.checkpoint import FORMAT, steps_saved
from cinelex.core.distributed import is_main
from cinelex.core.files import hash_file, read_json, sync_folder, write_json
from cinelex.core.tensors import save_tensors
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
    target, part = folder / f"step-{step}", part_of(folder, snapshot)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        known: dict[str, str] = {}
        for name, tensors in snapshot.tensors.items():
            file = f"{name}.safetensors"
            if before is not None and name in snapshot.unchanged and _linked(before, part, file):
                known[file] = read_json(before / "state.json")["files"][file]
            else:
                save_tensors(tensors, part / file)
        _seal(part, snapshot, known)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return _named(part, target, snapshot, keep=keep)


def part_of(folder: Path, snapshot: Snapshot) -> Path:
    """Return the folder that a snapshot is written to before it has its name."""
    return folder / f"{PART}{snapshot.position.step}"


def finish(folder: Path, snapshot: Snapshot, written: Future[Any], *, keep: int) -> Path:
    """Wait until every rank has written its part, and make a checkpoint of them; see `write`.

    Raises:
        OSError: The disk of a rank refused; what was written is removed.
    """
    part = part_of(folder, snapshot)
    try:
        refused_by_disk(written)
        _seal(part, snapshot, {})
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return _named(part, folder / f"step-{snapshot.position.step}", snapshot, keep=keep)


def refused_by_disk(written: Future[Any]) -> None:
    """Wait for the parts of all ranks.

    Raises:
        OSError: The disk of a rank refused.
    """
    from torch.distributed.checkpoint.api import CheckpointException

    try:
        written.result()
    except CheckpointException as problem:
        first = next(iter(problem.failures.values()))[0]
        if isinstance(first, OSError):
            raise first from None
        raise


def _named(part: Path, target: Path, snapshot: Snapshot, *, keep: int) -> Path:
    """Give a whole checkpoint its name, and remove what it replaces."""
    folder = target.parent
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
