"""Which videos a run wants, and what a store has of them: columns, not an object a video."""

import os
from binascii import hexlify
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Int64

from cinelex.core.files import hash_json
from cinelex.data.video.decode import NO_FILE, Limits, VideoMissing, VideoTooLarge
from cinelex.data.video.frame_store import FrameStore
from cinelex.data.video.known_files import KnownFiles, stamped

STORED = "store:"
"""How the name of a cine begins that a store has already, before its key."""
AT_ONCE = 1 << 18
"""Videos that are looked up at once."""
ABSENT, UNKNOWN = -1, -2
"""Sizes of files that are not there, and of those that the file system does not tell."""


@dataclass(frozen=True)
class Item:
    """One video to be decoded."""

    name: str
    """Below the root, or ``store:<key>``."""
    path: Path
    file: str
    """How it stands among the known files once it is decoded."""
    size: int
    mtime_ns: int

    @property
    def key(self) -> str | None:
        """The key in the source, of a cine that was prepared."""
        return self.name.removeprefix(STORED) if self.name.startswith(STORED) else None


@dataclass(frozen=True)
class Wanted:
    """Videos by name, in order, and the state of their files."""

    names: Any
    """An Arrow array of text, sorted, each once."""
    root: Path
    sizes: Int64[np.ndarray, " video"]
    mtimes: Int64[np.ndarray, " video"]
    digests: Any
    """Of cines that were prepared, in hexadecimal, null for files."""

    def __len__(self) -> int:
        return len(self.names)

    def files(self, places: Int64[np.ndarray, " chosen"]) -> Any:
        """Return how some stand among the known files once they are decoded.

        Nobody keeps these texts: of millions of videos they are the better part of a GiB.
        """
        names = self.names.take(pa.array(places))
        paths = pc.if_else(
            pc.starts_with(names, "/"),
            names,
            pc.binary_join_element_wise(_text(f"{self.root}/"), names, _text("")),
        )
        return stamped(paths, self.sizes[places], self.mtimes[places])

    def at(self, chosen: Bool[np.ndarray, " video"]) -> list[Item]:
        """Return some of them."""
        places = np.flatnonzero(chosen)
        taken = pa.array(places)
        return [
            Item(name, self.root / name, file, int(self.sizes[place]), int(self.mtimes[place]))
            for place, name, file in zip(
                places.tolist(),
                self.names.take(taken).to_pylist(),
                self.files(places).to_pylist(),
                strict=True,
            )
        ]


def look(videos: Iterable[Path] | Any, *, root: Path, source: FrameStore | None) -> Wanted:
    """Return videos by name with the state of their files now; see ``ingest``."""
    if not isinstance(videos, pa.Array | pa.ChunkedArray):
        videos = pa.array([name_below(video, root) for video in videos], pa.large_string())
    names = pc.unique(videos.cast(pa.large_string()))
    names = names.take(pc.sort_indices(names))
    stored = pc.starts_with(names, STORED).to_numpy(zero_copy_only=False)
    states = np.zeros((len(names), 2), np.int64)
    files = names.filter(pa.array(~stored)).to_pylist()
    states[~stored] = np.array([stamp(root / name) for name in files], np.int64).reshape(-1, 2)
    digests = pa.nulls(len(names), pa.large_string())
    if stored.any():
        keys = pc.utf8_slice_codeunits(names, len(STORED)).cast(pa.large_string())
        if not stored.all():
            keys = pc.if_else(pa.array(stored), keys, None)
        rows = _rows(source, keys)
        states[stored & (rows < 0)] = ABSENT
        digests = _digests(source, rows)
    return Wanted(names, root, states[:, 0], states[:, 1], digests)


def stamp(path: Path) -> tuple[int, int]:
    """Return the bytes and the time of change (ns) of a file; see ``ABSENT`` and ``UNKNOWN``."""
    try:
        status = os.stat(path)
    except OSError as error:
        return (ABSENT, ABSENT) if error.errno in NO_FILE else (UNKNOWN, UNKNOWN)
    return status.st_size, status.st_mtime_ns


def name_below(video: Path, root: Path) -> str:
    """Return a path relative to the root, or whole where it is not below it."""
    return str(video).removeprefix(os.path.join(root, ""))  # pathlib's way takes 20 times as long


class Found:
    """What a store has of the videos that a run wants."""

    def __init__(self, wanted: Wanted, folder: Path, limits: Limits) -> None:
        self.folder = folder
        self.store = FrameStore(folder)
        contents, errors = _known(wanted, KnownFiles(folder), limits)
        if wanted.digests.null_count:
            contents = pc.fill_null(pc.coalesce(wanted.digests, contents), "")
        else:
            contents = wanted.digests
        self.contents = contents
        """The hash of each file, or of the prepared cine; empty where it is not known."""
        absent = pa.array(wanted.sizes == ABSENT)
        self.errors = pc.if_else(absent, VideoMissing.__name__, pc.fill_null(errors, ""))
        self.rows = self.store.rows(self.contents)
        """Of the store, -1 where it does not have the frames."""
        # what was decoded under a higher limit
        long = self.store.numbers("total_frames", self.rows) > limits.max_frames
        self.errors = pc.if_else(pa.array(long), VideoTooLarge.__name__, self.errors)
        self.rows[pc.not_equal(self.errors, "").to_numpy(zero_copy_only=False)] = -1

    @property
    def missing(self) -> Bool[np.ndarray, " video"]:
        """Which are neither in the store nor known to be of no use."""
        sound = pc.equal(self.errors, "").to_numpy(zero_copy_only=False)
        return (self.rows < 0) & sound


def _known(wanted: Wanted, known: KnownFiles, limits: Limits) -> tuple[Any, Any]:
    """Return contents and errors of what is known, null where nothing is."""
    if not len(known):
        nothing = pa.nulls(len(wanted), pa.large_string())
        return nothing, nothing
    parts = []
    # no fewer at once than there are known: whatever looks them up goes through all of those
    step = max(AT_ONCE, len(known))
    for start in range(0, len(wanted), step):
        files = wanted.files(np.arange(start, min(start + step, len(wanted))))
        refused = pc.binary_join_element_wise(files, _text(limits_mark(limits)), _text("|"))
        parts.append(known.of(files, refused))
    contents, errors = (pa.concat_arrays(column) for column in zip(*parts, strict=True))
    return contents, errors


def limits_mark(limits: Limits) -> str:
    """Return what stands behind a refused file among the known ones: other limits may read it."""
    return hash_json(asdict(limits))[:8]


def _rows(source: FrameStore | None, keys: Any) -> Int64[np.ndarray, " key"]:
    if source is None:
        return np.full(len(keys), -1, np.int64)
    rows = source.rows(keys)
    rows[keys.is_null().to_numpy(zero_copy_only=False)] = -1
    return rows


def _digests(source: FrameStore | None, rows: Int64[np.ndarray, " key"]) -> Any:
    """Return digests in hexadecimal, null where there is no row."""
    if source is None:
        return pa.nulls(len(rows), pa.large_string())
    data = hexlify(source.digests(rows).data)
    ends = pa.py_buffer(np.arange(len(rows) + 1, dtype=np.int64) * 32)
    texts = pa.Array.from_buffers(pa.large_string(), len(rows), [None, ends, pa.py_buffer(data)])
    return pc.if_else(pa.array(rows >= 0), texts, None)


def _text(value: str) -> Any:
    return pa.scalar(value, pa.large_string())
