"""Cines into a store: any number of writers, processes and machines at once."""

import hashlib
import json
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
from jaxtyping import UInt8

from cinelex.core.files import PART_SUFFIX, sync_folder
from cinelex.data.video.codecs import SUFFIXES, Compression, pack
from cinelex.data.video.store_index import SCHEMA, merge_index, write_index

SHARD_BYTES = 256 << 20
"""A shard that has as many is closed."""
SHARD_CINES = 256
MERGED_FROM = 64
"""As many index files are merged into one when a writer is closed."""
KEY = re.compile(r"[0-9A-Za-z_.\-]{1,200}")


class StoreWriter:
    """Appends cines to a store, in shards of its own.

    A shard is closed when it is full and when the writer is: it then has its final name, on the
    disk, and an index file beside it, in this order, so that what was closed survives the end of
    the process and nothing half written is ever read. A key that the store has already may be
    written again: one of the two is read.
    """

    def __init__(self, folder: Path, *, part: str = "0", compression: Compression = "zstd") -> None:
        """Open no file yet.

        Args:
            folder: The store; it is made.
            part: Stands in the names of the shards, for whoever looks at the folder.
            compression: Of the frames; both lose nothing.
        """
        if not KEY.fullmatch(part):
            raise ValueError(f"part must be of {KEY.pattern}, got {part!r}")
        self.folder, self.part, self.compression = folder, part, compression
        self.closed = 0
        """Cines that are on the disk and in the index."""
        self._shard: BinaryIO | None = None
        self._name = ""
        self._rows: list[dict[str, Any]] = []
        folder.mkdir(parents=True, exist_ok=True)

    def add(
        self,
        key: str,
        frames: UInt8[np.ndarray, "frame row column channel"],
        *,
        times_ms: Sequence[float] | None = None,
        total_frames: int | None = None,
    ) -> None:
        """Append a cine.

        Args:
            key: What it is found by.
            frames: At least one; gray or RGB.
            times_ms: When each frame is shown; None where nobody knows.
            total_frames: Frames of the video, where not all of them are stored.

        Raises:
            ValueError: The key, the frames or their times cannot be stored.
            OSError: The disk refused; what was not closed is removed.
        """
        if not KEY.fullmatch(key):
            raise ValueError(f"a key is 1 to 200 of the characters {KEY.pattern}")
        if len(frames) < 1 or frames.shape[-1] not in (1, 3) or not frames.size:
            raise ValueError(f"frames of shape {frames.shape} cannot be stored")
        if times_ms is not None and len(times_ms) != len(frames):
            raise ValueError(f"{len(times_ms)} times for {len(frames)} frames")
        times = b"" if times_ms is None else np.asarray(times_ms, "<f8").tobytes()
        data = [*pack(frames, self.compression), times]
        count = sum(len(part) for part in data)
        row: dict[str, Any] = {
            "key": key,
            "digest": digest_of(frames, times),
            "shard": 0,
            "bytes": count,
            "total_frames": len(frames) if total_frames is None else total_frames,
            "timed": int(times_ms is not None),
        }
        row |= dict(zip(("frames", "rows", "columns", "channels"), frames.shape, strict=True))
        try:
            row["offset"] = self._write(data)
        except BaseException:
            self._forget()
            raise
        self._rows.append(row)
        if row["offset"] + count >= SHARD_BYTES or len(self._rows) >= SHARD_CINES:
            self._close_shard()

    def close(self) -> None:
        """Close the last shard.

        Raises:
            OSError: The disk refused; what was not closed is removed.
        """
        self._close_shard()
        merge_index(self.folder, least=MERGED_FROM)

    def __enter__(self) -> "StoreWriter":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self._forget()

    def _write(self, data: Sequence[bytes | memoryview]) -> int:
        if self._shard is None:
            self._name = f"frames-{self.part}-{token_hex(8)}{SUFFIXES[self.compression]}"
            self._shard = self._unfinished.open("xb")
        offset = self._shard.tell()
        for part in data:
            self._shard.write(part)
        return offset

    @property
    def _unfinished(self) -> Path:
        return self.folder / f".{self._name}{PART_SUFFIX}"

    def _close_shard(self) -> None:
        if self._shard is None:
            return
        try:
            self._shard.flush()
            os.fsync(self._shard.fileno())
            self._shard.close()
            self._unfinished.rename(self.folder / self._name)
            sync_folder(self.folder)
            write_index(self.folder, pa.Table.from_pylist(self._rows, SCHEMA), [self._name])
        except BaseException:
            self._forget()
            raise
        self.closed += len(self._rows)
        self._shard, self._rows = None, []

    def _forget(self) -> None:
        """Remove what is not closed."""
        if self._shard is None:
            return
        # a full disk refuses to flush what is thrown away anyhow
        with suppress(OSError):
            self._shard.close()
        self._unfinished.unlink(missing_ok=True)
        (self.folder / self._name).unlink(missing_ok=True)
        self._shard, self._rows = None, []


def digest_of(
    frames: UInt8[np.ndarray, "frame row column channel"], times: bytes | memoryview
) -> bytes:
    """Return the hash of frames and their times, whichever way they are stored."""
    digest = hashlib.sha256(json.dumps(frames.shape).encode())
    digest.update(np.ascontiguousarray(frames).data)
    digest.update(times)
    return digest.digest()[:16]
