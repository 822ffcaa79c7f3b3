"""The frames of all videos, decoded once and mapped into memory."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from jaxtyping import UInt8

from cinelex.core.errors import UserError
from cinelex.core.files import PART_SUFFIX, hash_file, hash_json, read_json
from cinelex.core.folders import locked
from cinelex.data.video.frames import frame_indices
from cinelex.data.video.ingest import IngestSettings
from cinelex.data.video.shards import Entry, shard_name, stamp
from cinelex.data.video.store_making import INDEX, SEAL, make_store

VERIFIED_BYTES = 4 << 30
"""A store up to this size is read whole and hashed whenever it is opened."""


class FrameStore:
    """Decoded frames of many videos, read through the page cache that all processes share."""

    def __init__(self, folder: Path, *, root: Path) -> None:
        """Map the store that ``ingest`` left in a folder; its names are relative to ``root``.

        Raises:
            UserError: A file of the store is missing or is not the one that was written.
        """
        self.folder = folder
        self.root = root
        self.seal = read_json(folder / SEAL)
        shape = self.seal["settings"]["shape"]
        self.frame_shape: tuple[int, int, int] = (shape["size"], shape["size"], shape["channels"])
        self.hash: str = self.seal["content"]
        """What the frames depend on: the settings and the bytes of every video file."""
        self.entries = {entry.video: entry for entry in _read_index(folder, self.seal)}
        self._shards: dict[int, UInt8[np.memmap, " byte"]] = {}

    def __contains__(self, video: Path) -> bool:
        entry = self.entries.get(self.name(video))
        return entry is not None and not entry.error

    def name(self, video: Path) -> str:
        """Return what the store calls a video: its path below the root."""
        return name_below(video, self.root)

    def entry(self, video: Path) -> Entry:
        """Return what is known of a video.

        Raises:
            KeyError: It was not ingested.
        """
        return self.entries[self.name(video)]

    def frames(self, video: Path) -> UInt8[np.ndarray, "frame row column channel"]:
        """Return all stored frames of a video, without copying them."""
        entry = self.entry(video)
        if entry.error:
            raise KeyError(f"this video was refused ({entry.error})")
        shape = (entry.frames, *self.frame_shape)
        count = int(np.prod(shape))
        return self._shard(entry.shard)[entry.offset : entry.offset + count].reshape(shape)

    def clip(
        self, video: Path, *, frames: int, draw: float | None
    ) -> UInt8[np.ndarray, "frame row column channel"]:
        """Return a clip of a video, copied; see ``frame_indices``."""
        stored = self.frames(video)
        return np.asarray(stored[frame_indices(len(stored), frames=frames, draw=draw)])

    def verify(self, *, read_up_to: int = VERIFIED_BYTES) -> None:
        """Compare the index and every shard with what was written.

        Shards of more than ``read_up_to`` bytes in all are not read: only sizes are compared.

        Raises:
            UserError: A file is not what was written.
        """
        shards: dict[str, list[Any]] = self.seal["shards"]
        read = sum(size for size, _ in shards.values()) <= read_up_to
        for name, (size, digest) in shards.items():
            path = self.folder / name
            intact = path.exists() and path.stat().st_size == size
            if not intact or (read and hash_file(path) != digest):
                raise UserError(f"{path}: damaged; delete {self.folder} to have it made again")

    def _shard(self, number: int) -> UInt8[np.ndarray, " byte"]:
        if number not in self._shards:
            path = self.folder / shard_name(number)
            self._shards[number] = np.memmap(path, np.uint8, "r")
        return self._shards[number]


def name_below(video: Path, root: Path) -> str:
    """Return a path relative to the root, or whole where it is not below it."""
    return str(video.relative_to(root)) if video.is_relative_to(root) else str(video)


def ingest(
    videos: Iterable[Path],
    *,
    root: Path,
    cache: Path,
    settings: IngestSettings,
    workers: int | None = None,
) -> FrameStore:
    """Return the store of these videos, decoding them unless it is there already.

    A store is found by its settings and by the names and sizes of the video files; a file whose
    time of change differs is hashed again and must be the file that was decoded. A store is
    written beside its final place and renamed, so that there is never half of one; what was decoded
    when an ingest ended early is kept for the next. One process decodes, others wait for it.

    Args:
        videos: Which files; a file named twice is stored once.
        root: What their names are relative to.
        cache: Folder that holds all stores.
        settings: How the frames are to look.
        workers: Children that decode at once; None takes one a core.

    Raises:
        UserError: There is no video, or the disk has no room.
    """
    named = sorted({name_below(video, root): video for video in videos}.items())
    if not named:
        raise UserError("there is no video to ingest; check the manifest's video column")
    stamps = [stamp(path) for _, path in named]
    sizes = [(name, size) for (name, _), (size, _) in zip(named, stamps, strict=True)]
    key = hash_json({"settings": settings.as_json(), "videos": sizes})[:16]
    folder = _find(cache, key, named, stamps)
    if folder is None:
        with locked(cache / f".{key}.lock", what="the frames of these videos"):
            # who held the lock may have made them
            folder = _find(cache, key, named, stamps) or make_store(
                cache / f".{key}{PART_SUFFIX}", named, settings, workers or os.cpu_count() or 1
            )
    store = FrameStore(folder, root=root)
    store.verify()
    return store


def _find(
    cache: Path,
    key: str,
    named: Sequence[tuple[str, Path]],
    stamps: Sequence[tuple[int, int]],
) -> Path | None:
    """Return the store of these videos as they are now; None where there is none."""
    folders = sorted(cache.glob(f"{key}-*"))
    return next((folder for folder in folders if _is_current(folder, named, stamps)), None)


def _is_current(
    folder: Path, named: Sequence[tuple[str, Path]], stamps: Sequence[tuple[int, int]]
) -> bool:
    """Return whether the video files are the ones that a store was made from."""
    entries = _read_index(folder, read_json(folder / SEAL))
    for entry, (_, path), found in zip(entries, named, stamps, strict=True):
        same_stamp = (entry.file_bytes, entry.mtime_ns) == found
        if not same_stamp and (found[0] < 0 or hash_file(path) != entry.content):
            return False
    return True


def _read_index(folder: Path, seal: dict[str, Any]) -> list[Entry]:
    """Return what is known of every video, in the order of their names."""
    path = folder / INDEX
    if not path.exists() or hash_file(path) != seal["shards"][INDEX][1]:
        raise UserError(f"{path}: damaged; delete {folder} to have it made again")
    return [Entry(**row) for row in pq.read_table(path).to_pylist()]
