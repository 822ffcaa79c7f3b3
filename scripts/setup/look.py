"""What is in a manifest: how it is read, its studies, its splits, and how its files look."""

import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cinelex.core.errors import UserError
from cinelex.core.progress import progress
from cinelex.data.studies.manifest import Manifest, load_manifest
from cinelex.data.studies.presence import missing_videos, where_they_are
from cinelex.data.studies.study import Columns
from cinelex.data.tables.read import read_table
from cinelex.data.tables.table import Table
from cinelex.data.video.decode import VideoError
from cinelex.data.video.decoders import ChildDecoder
from cinelex.data.video.resize import Shape
from cinelex.data.video.wanted import STORED
from cinelex.metrics.facts.parse import read
from cinelex.scripts.setup.columns import Guess, are_images, guess_columns

MAX_WATCHED = 8
"""Files that are decoded."""
MAX_PARSED = 200
"""Reports that are read for coronary facts."""
COLOR = 2.0
"""Levels of 255 by which channels differ on average in a file that is in colour."""


@dataclass(frozen=True)
class Watched:
    """What some decoded files have in common."""

    looked_at: int
    unreadable: int
    color: bool
    frames: tuple[int, ...]
    seconds: tuple[float, ...]
    """Of files that say when each frame is shown."""
    size: tuple[int, int]
    """Median rows and columns."""


@dataclass(frozen=True)
class Look:
    """What there is, before anything was decided."""

    manifest: Manifest
    columns: Mapping[str, Guess]
    images: bool
    missing: int
    """Files that are not there."""
    watched: Watched
    coronary: float
    """Share of the reports in which the parser finds coronary facts."""

    @property
    def files(self) -> int:
        """How many files all studies have."""
        return int(self.manifest.studies.video_counts.sum())


def look_at(path: Path, *, video_root: Path | None = None) -> Look:
    """Look at a manifest and at some of its files.

    Raises:
        UserError: It is no manifest, or none of its files can be found or read.
    """
    table = read_table(path)
    columns = guess_columns(table)
    images = are_images(table, columns["video"].name)
    manifest = _read(path, columns, video_root or common_folder(table, columns["video"].name))
    prepared = manifest.studies.video_names[0].as_py().startswith(STORED)
    missing = missing_videos(manifest.studies)
    if missing.all():
        hint = where_they_are(manifest.studies, beside=path.parent)
        raise UserError(
            f"{path}: none of {len(missing)} files is below {manifest.video_root}"
            f"{'; ' + hint if hint else ''}; say where as --video_root FOLDER"
        )
    there = np.flatnonzero(~missing)
    chosen = there[np.linspace(0, len(there) - 1, min(MAX_WATCHED, len(there))).astype(int)]
    names = manifest.studies.video_names
    paths = manifest.studies.paths(names.take(chosen.tolist()))
    reports = manifest.studies.reports[:MAX_PARSED]
    coronary = sum(bool(read(text).facts) for text in reports) / max(1, len(reports))
    watched = Watched(0, 0, False, (), (), (0, 0)) if prepared else watch(paths)
    return Look(manifest, columns, images, int(missing.sum()), watched, coronary)


def common_folder(table: Table, name: str) -> Path | None:
    """Return the folder that all of a column's paths are below, where they are absolute."""
    ends = pc.min_max(table.column(name).cast(pa.large_string())).as_py()
    paths = [PurePath(ends[end] or "") for end in ("min", "max")]
    if not all(path.is_absolute() for path in paths):
        return None
    return Path(os.path.commonpath([path.parent for path in paths]))


def _read(path: Path, columns: Mapping[str, Guess], video_root: Path | None) -> Manifest:
    named: dict[str, Any] = {role: guess.name for role, guess in columns.items()}
    return load_manifest(
        path,
        columns=replace(Columns(split=None), **named),
        video_root=video_root,
    )


def watch(paths: Sequence[Path]) -> Watched:
    """Decode some files and say what they are.

    Raises:
        UserError: None of them can be read.
    """
    frames, seconds, sizes, colored, unreadable, last = [], [], [], [], 0, ""
    with ChildDecoder(backend="pyav") as decoder:
        for path in progress(paths, total=len(paths), what="files"):
            try:
                shape = Shape(size=64, channels=3)
                info, pixels = decoder.read_stored(path, shape=shape, stored_frames=2)
            except VideoError as problem:
                unreadable, last = unreadable + 1, str(problem)
                continue
            frames.append(info.frames)
            sizes.append((info.height, info.width))
            if info.times_ms is not None and len(info.times_ms) > 1:
                seconds.append((info.times_ms[-1] - info.times_ms[0]) / 1000)
            levels = pixels.astype(np.float32)
            colored.append(float(np.ptp(levels, axis=-1).mean()) > COLOR)
    if not frames:
        raise UserError(f"none of {len(paths)} files that were tried can be read ({last})")
    rows, widths = zip(*sizes, strict=True)
    size = int(statistics.median(rows)), int(statistics.median(widths))
    return Watched(len(frames), unreadable, any(colored), tuple(frames), tuple(seconds), size)
