"""The stored videos that one run reads, by their names in its manifest."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Float64, Int64, UInt8

from cinelex.core.errors import UserError
from cinelex.data.video.frame_store import FrameStore
from cinelex.data.video.places import Place
from cinelex.data.video.sampling import Sampling
from cinelex.data.video.sorted_text import SortedText
from cinelex.data.video.store_index import read_table, write_table
from cinelex.data.video.wanted import Found, Wanted, name_below

VERIFIED_BYTES = 4 << 30
"""Frames of a run up to this size are read whole and compared whenever they are opened."""
SHARED_FROM = 100_000
"""As many videos are kept in a file, which the processes of a machine map instead of copying."""
PREFIX = "view-"
REMEMBERED = 8192
"""Studies, videos and features that are not looked up again: a step that reads kept features does
little else."""


@dataclass(frozen=True)
class Video:
    """What is known of a video."""

    content: str
    """The hash of the file, or of the cine that was prepared; empty where it was not read."""
    error: str
    """Name of the ``VideoError``; empty where it was decoded."""
    total_frames: int
    """Frames of the video; 0 where it was refused."""
    frames: int
    """Frames that are stored."""


class StoredVideos:
    """Frames of a run's videos, whose names are relative to ``root``."""

    def __init__(self, view: Any, store: FrameStore, *, root: Path, settings: Any) -> None:
        """Look at the rows of a store; see ``over``."""
        self.store, self.root = store, root
        self.names = SortedText(view["name"])
        self.rows: Int64[np.ndarray, " video"] = view["row"].to_numpy()
        """Of the store; -1 where a video was refused."""
        self._view = view
        self.digest = lru_cache(REMEMBERED)(self._digest)
        """Returns the hash of a video's stored frames and their times."""
        self._length = lru_cache(REMEMBERED)(self._look_up)
        self.hash = self._hash(settings)
        """Of the settings, of every video's name, and of its frames, or why it has none."""

    @classmethod
    def over(cls, wanted: Wanted, found: Found, *, root: Path, settings: Any) -> "StoredVideos":
        """Return what a store has of the videos that a run wants.

        Raises:
            UserError: What is read of the store is not what was written.
        """
        left = found.missing
        errors = pc.if_else(pa.array(left), "VideoNotDecoded", found.errors)
        columns = (wanted.names, pa.array(found.rows), errors, found.contents)
        view = pa.table(dict(zip(("name", "row", "error", "content"), columns, strict=True)))
        if len(view) >= SHARED_FROM and os.access(found.folder, os.W_OK):
            name = write_table(found.folder, PREFIX, view).name
            pa.default_memory_pool().release_unused()
            view = read_table(Place(found.folder), name)
        videos = cls(view, found.store, root=root, settings=settings)
        videos.verify()
        return videos

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, video: Path) -> bool:
        place = self.names.place(self.name(video))
        return place >= 0 and bool(self.rows[place] >= 0)

    @property
    def folder(self) -> str:
        """The folder of the store."""
        return self.store.folder

    @property
    def refused(self) -> int:
        """How many videos have no frames."""
        return int((self.rows < 0).sum())

    def holds(self, names: Any) -> Bool[np.ndarray, " name"]:
        """Return which of many names, an Arrow array of text, have frames."""
        places = pc.index_in(names.cast(pa.large_string()), value_set=self.names.array)
        rows = pa.array(self.rows).take(pc.fill_null(places, 0)).to_numpy()
        return places.is_valid().to_numpy(zero_copy_only=False) & (rows >= 0)

    def name(self, video: Path) -> str:
        """Return what the manifest calls a video: its path below the root."""
        return name_below(video, self.root)

    def row(self, video: Path) -> int:
        """Return the row of a video in the store.

        Raises:
            KeyError: It was not ingested, or was refused.
        """
        place = self.names.place(self.name(video))
        if place < 0:
            raise KeyError("this video was not ingested")
        if self.rows[place] < 0:
            raise KeyError(f"this video was refused ({self.entry(video).error})")
        return int(self.rows[place])

    def entry(self, video: Path) -> Video:
        """Return what is known of a video.

        Raises:
            KeyError: It was not ingested.
        """
        place = self.names.place(self.name(video))
        if place < 0:
            raise KeyError("this video was not ingested")
        row = int(self.rows[place])
        stored = self.store.stored(row) if row >= 0 else None
        return Video(
            self._view["content"][place].as_py(),
            self._view["error"][place].as_py(),
            stored.total_frames if stored else 0,
            stored.shape[0] if stored else 0,
        )

    def frames(self, video: Path) -> UInt8[np.ndarray, "frame row column channel"]:
        """Return all stored frames of a video, without copying them where they are raw."""
        return self.store.read(self.row(video))

    def clip(
        self, video: Path, sampling: Sampling, *, draw: float | None
    ) -> UInt8[np.ndarray, "frame row column channel"]:
        """Return a clip of a video, copied; see ``Sampling.indices``."""
        stored = self.store.stored(self.row(video))
        times = None if sampling.seconds is None else self.store.times_of(stored)
        return self.store.frames_of(stored, sampling.indices(stored.shape[0], times, draw=draw))

    def indices(self, video: Path, sampling: Sampling, *, draw: float | None) -> list[int]:
        """Return which frames of a video make a clip; see ``Sampling.indices``."""
        return sampling.indices(*self._length(video, sampling), draw=draw)

    def possible(self, video: Path, sampling: Sampling) -> list[list[int]] | None:
        """Return the clips that training may cut from a video; see ``Sampling.possible``."""
        return sampling.possible(*self._length(video, sampling))

    def cut(
        self, video: Path, indices: Sequence[int]
    ) -> UInt8[np.ndarray, "frame row column channel"]:
        """Return some frames of a video, copied."""
        return self.store.read(self.row(video), indices)

    def _digest(self, video: Path) -> bytes:
        return self.store.digests(np.array([self.row(video)]))[0].tobytes()

    def _look_up(self, video: Path, sampling: Sampling) -> tuple[int, Any]:
        """Return how many frames a video has, and their times where they are asked for."""
        stored = self.store.stored(self.row(video))
        times = None if sampling.seconds is None else self.store.times_of(stored)
        return stored.shape[0], times

    def times_ms(self, video: Path) -> Float64[np.ndarray, " frame"] | None:
        """Return when each stored frame of a video is shown; None where nobody knows."""
        times: Float64[np.ndarray, " frame"] | None = self.store.times_at(self.row(video))
        return times

    def untimed(self, names: Any) -> int:
        """Return how many of the named videos have several frames and no times."""
        places = pc.index_in(names.cast(pa.large_string()), value_set=self.names.array)
        rows = self.rows[places.drop_null().to_numpy()]
        rows = rows[rows >= 0]
        timed, frames = (self.store.numbers(column, rows) for column in ("timed", "frames"))
        return int(((timed == 0) & (frames > 1)).sum())

    def verify(self, *, read_up_to: int = VERIFIED_BYTES) -> None:
        """Compare what the run reads with what was written, unless it is more than ``read_up_to``.

        Raises:
            UserError: A shard is not what was written.
        """
        held = self.rows[self.rows >= 0]
        if self.store.numbers("bytes", held).sum() > read_up_to:
            return
        for row in self.store.damaged(np.unique(held)):
            path = self.store.path(self.store.stored(row).shard)
            raise UserError(f"{path}: damaged; delete it, and its videos are decoded again")

    def _hash(self, settings: Any) -> str:
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
        for part in self.names.lengths_and_bytes():
            digest.update(part)
        digest.update(self.store.digests(self.rows).tobytes())
        errors = self._view["error"].filter(pa.array(self.rows < 0)).to_pylist()
        digest.update(json.dumps(errors).encode())
        return digest.hexdigest()
