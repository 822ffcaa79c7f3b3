"""Frames of many cines by key, read through the page cache that all processes share."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Int64, UInt8

from cinelex.core.errors import UserError
from cinelex.data.video.codecs import SUFFIXES, Compression, packed_bytes, unpack
from cinelex.data.video.places import Place, RemotePlace, is_url
from cinelex.data.video.store_index import SCHEMA, Segment, read_segments
from cinelex.data.video.store_writer import digest_of

COMPRESSIONS: dict[str, Compression] = {suffix: name for name, suffix in SUFFIXES.items()}


@dataclass(frozen=True)
class Stored:
    """Where a cine is and what it is."""

    shard: str
    offset: int
    bytes: int
    shape: tuple[int, int, int, int]
    """Frames, rows, columns, channels."""
    total_frames: int
    timed: bool


class FrameStore:
    """What stands in a store when it is opened; cines that are appended later are not seen.

    The index stays in mapped memory, which processes share; nothing is made of it for each cine.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        kept: Path = Path("cache"),
        most_bytes: int = 8 << 30,
    ) -> None:
        """Open a store.

        Args:
            folder: A folder, or a URL that fsspec reads, such as ``s3://bucket/folder``.
            kept: Where copies of what was read behind a URL are kept.
            most_bytes: Most bytes of such copies.

        Raises:
            UserError: The URL cannot be read, or an index file is damaged.
        """
        self.folder = str(folder)
        self._place = (
            RemotePlace(str(folder), kept=kept, most_bytes=most_bytes)
            if is_url(folder)
            else Place(Path(folder))
        )
        self._segments = read_segments(self._place)
        self._starts = [0, *accumulate(len(segment) for segment in self._segments)]

    def __len__(self) -> int:
        return self._starts[-1]

    def __contains__(self, key: str) -> bool:
        return self.row(key) >= 0

    @property
    def keys(self) -> Any:
        """All keys, as an Arrow array of text; one that was written twice stands there twice."""
        column = SCHEMA.field("key")
        chunks = [c for segment in self._segments for c in segment.table["key"].chunks]
        return pa.chunked_array(chunks, column.type)

    def row(self, key: str) -> int:
        """Return the number of a key's row, which is faster to read by; -1 where there is none."""
        for start, segment in zip(self._starts, self._segments, strict=False):
            row = segment.row(key)
            if row >= 0:
                return start + row
        return -1

    def rows(self, keys: Any) -> Int64[np.ndarray, " key"]:
        """Return the row of each of many keys, an Arrow array of large strings; see ``row``."""
        found: Int64[np.ndarray, " key"] = np.full(len(keys), -1, np.int64)
        for start, segment in zip(self._starts, self._segments, strict=False):
            here = segment.rows(keys)
            found = np.where((found < 0) & (here >= 0), start + here, found)
        return found

    def stored(self, row: int) -> Stored:
        """Return where the cine of a row is."""
        segment, own = self._segment(row)
        shard, offset, count, *shape, total, timed = segment.numbers_at(own)
        return Stored(
            segment.shards[shard],
            offset,
            count,
            (shape[0], shape[1], shape[2], shape[3]),
            total,
            bool(timed),
        )

    def numbers(self, column: str, rows: Int64[np.ndarray, " row"]) -> Int64[np.ndarray, " row"]:
        """Return a column of numbers of the index at many rows."""
        return self._gather(rows, lambda segment, own: segment.numbers(column)[own], np.int64)

    def digests(self, rows: Int64[np.ndarray, " row"]) -> UInt8[np.ndarray, "row 16"]:
        """Return the hash of the frames and their times at many rows."""

        def of(segment: Segment, own: Int64[np.ndarray, " row"]) -> Any:
            taken = segment.table["digest"].take(pa.array(own)).combine_chunks()
            data = np.frombuffer(taken.buffers()[1], np.uint8)
            return data.reshape(-1, 16)[taken.offset : taken.offset + len(taken)]

        return self._gather(rows, of, np.uint8, 16)

    def digest(self, key: str) -> str:
        """Return the hash of a cine's frames and their times, in hexadecimal."""
        return self.digests(np.array([self._known(key)]))[0].tobytes().hex()

    def frames(self, key: str) -> UInt8[np.ndarray, "frame row column channel"]:
        """Return all frames of a cine, without a copy where they are stored raw.

        Raises:
            KeyError: It is not in the store.
        """
        return self.read(self._known(key))

    def times(self, key: str) -> tuple[float, ...] | None:
        """Return when each frame is shown, in ms; None where nobody knows.

        Raises:
            KeyError: It is not in the store.
        """
        times = self.times_at(self._known(key))
        return None if times is None else tuple(times.tolist())

    def read(
        self, row: int, indices: Sequence[int] | None = None
    ) -> UInt8[np.ndarray, "frame row column channel"]:
        """Return the frames of a row: all, or those at ``indices``, copied."""
        return self.frames_of(self.stored(row), indices)

    def frames_of(
        self, stored: Stored, indices: Sequence[int] | None = None
    ) -> UInt8[np.ndarray, "frame row column channel"]:
        """Return the frames of a cine; see ``read``."""
        data = self._place.read(stored.shard, stored.offset, stored.bytes)
        return unpack(data, stored.shape, _compression(stored.shard), indices)

    def times_at(self, row: int) -> Any:
        """Return when each frame of a row is shown, in ms; None where nobody knows."""
        return self.times_of(self.stored(row))

    def times_of(self, stored: Stored) -> Any:
        """Return when each frame of a cine is shown, in ms; None where nobody knows."""
        if not stored.timed:
            return None
        data = self._place.read(stored.shard, stored.offset, stored.bytes)
        return data[len(data) - 8 * stored.shape[0] :].view("<f8")

    def damaged(self, rows: Int64[np.ndarray, " row"]) -> Iterator[int]:
        """Read everything of many rows, and yield those that hold what was not written."""
        for row, written in zip(rows.tolist(), self.digests(rows), strict=True):
            if self.read_digest(row) != written.tobytes():
                yield row

    def read_digest(self, row: int) -> bytes | None:
        """Return the hash of what a row's frames and times are now; None if they cannot be read."""
        stored = self.stored(row)
        compression = _compression(stored.shard)
        try:
            data = self._place.read(stored.shard, stored.offset, stored.bytes)
            frames = unpack(data, stored.shape, compression)
        except (UserError, OSError, IndexError, pa.ArrowInvalid):
            return None
        times = data[packed_bytes(data, stored.shape, compression) :]
        return digest_of(frames, times.tobytes())

    def verify(self) -> list[str]:
        """Read everything, and return the shards that hold what was not written."""
        return sorted({self.stored(row).shard for row in self.damaged(np.arange(len(self)))})

    def path(self, shard: str) -> str:
        """Return how a person finds a shard."""
        return self._place.join(shard)

    def _known(self, key: str) -> int:
        row = self.row(key)
        if row < 0:
            raise KeyError("the store has no such cine")
        return row

    def _segment(self, row: int) -> tuple[Segment, int]:
        place = bisect_right(self._starts, row) - 1
        return self._segments[place], row - self._starts[place]

    def _gather(self, rows: Int64[np.ndarray, " row"], of: Any, kind: Any, *width: int) -> Any:
        gathered = np.zeros((len(rows), *width), kind)
        for start, segment in zip(self._starts, self._segments, strict=False):
            own = (rows >= start) & (rows < start + len(segment))
            gathered[own] = of(segment, rows[own] - start)
        return gathered


def _compression(shard: str) -> Compression:
    return COMPRESSIONS[shard[shard.rindex(".") :]]
