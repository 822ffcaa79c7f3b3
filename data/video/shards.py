"""Frames of some videos in one file, and what became of each video.

A shard that is complete has its entries beside it, so that an ingest that is ended early goes on
with the shards that it lacks.
"""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from cinelex.core.files import read_json, write_json
from cinelex.data.video.decode import MAY_PASS


@dataclass(frozen=True)
class Entry:
    """What became of one video."""

    video: str
    """Path below the video root, or absolute."""
    file_bytes: int
    mtime_ns: int
    content: str
    """SHA-256 of the file; empty where it failed."""
    error: str
    """Name of the ``VideoError``; empty where it was decoded."""
    total_frames: int
    """Frames of the video."""
    frames: int
    """Frames that are stored."""
    shard: int
    offset: int
    """First stored byte in the shard."""


def stamp(path: Path) -> tuple[int, int]:
    """Return the bytes and the time of change (ns) of a file; (-1, -1) where there is none."""
    try:
        status = path.stat()
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns


def shard_name(number: int) -> str:
    """Return the file name of a shard."""
    return f"frames-{number:05d}.u8"


def keep_shard(shard: BinaryIO, folder: Path, number: int, entries: Sequence[Entry]) -> None:
    """Note that a shard is complete, when the disk has it."""
    shard.flush()
    os.fsync(shard.fileno())
    write_json(_entries_path(folder, number), [asdict(entry) for entry in entries])


def kept_shard(folder: Path, number: int, videos: Sequence[tuple[str, Path]]) -> list[Entry] | None:
    """Return the entries of a complete shard of these videos; None where it has to be made.

    A video that has changed since, or whose error may have passed, makes it worth another try.
    """
    path = _entries_path(folder, number)
    if not path.exists():
        return None
    entries = [Entry(**row) for row in read_json(path)]
    known = [(entry.video, (entry.file_bytes, entry.mtime_ns)) for entry in entries]
    if known != [(name, stamp(file)) for name, file in videos]:
        return None
    return None if any(entry.error in MAY_PASS for entry in entries) else entries


def forget_shards(folder: Path) -> None:
    """Remove what stands beside the shards; the index of a whole store has it all."""
    for path in folder.glob("frames-*.json"):
        path.unlink()


def _entries_path(folder: Path, number: int) -> Path:
    return (folder / shard_name(number)).with_suffix(".json")
