"""A store of frames, from what was left of it to its seal."""

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.console import say
from core.errors import UserError
from core.files import PART_SUFFIX, hash_file, hash_json, read_json, write_json
from data.decode import MAY_PASS
from data.ingest import IngestSettings, decode_all
from data.shards import Entry, forget_shards

INDEX = "index.parquet"
SEAL = "store.json"
TOLD = "told.json"
"""The videos of an unfinished store that somebody was told of: see `_tell_what_may_pass`."""


def make_store(
    part: Path, named: Sequence[tuple[str, Path]], settings: IngestSettings, workers: int
) -> Path:
    """Decode what ``part`` lacks, and move it to its final place, which is returned.

    One process at a time may do it. What it leaves behind when it fails, the next one goes on with.

    Args:
        part: The folder of the unfinished store, ``.<key>.part`` in the folder of all stores.
        named: The name and the path of each video.
        settings: How the frames are to look.
        workers: Children that decode at once.

    Raises:
        UserError: The disk has no room, or a video failed in a way that may pass and nobody has
            been told of it yet.
    """
    part.mkdir(parents=True, exist_ok=True)
    _check_space(part, settings, len(named))
    entries = decode_all(named, folder=part, settings=settings, workers=workers)
    if any(entry.error in MAY_PASS for entry in entries):
        say("trying once more, one at a time, what was not read or not decoded in time")
        entries = decode_all(named, folder=part, settings=settings, workers=1)
        _tell_what_may_pass(part, entries)
    return _seal(part, entries, settings)


def _tell_what_may_pass(part: Path, entries: Sequence[Entry]) -> None:
    """Refuse to finish a store without videos that might be there, before somebody knows of it.

    A store is used for months. What failed because a disk did not answer would be missing in it
    for as long; what fails again, when somebody has looked, is the video's own fault.
    """
    failed = [entry for entry in entries if entry.error in MAY_PASS]
    told = set(read_json(part / TOLD)) if (part / TOLD).exists() else set()
    if {entry.video for entry in failed} <= told:
        return
    write_json(part / TOLD, [entry.video for entry in failed])
    kinds = Counter(entry.error for entry in failed)
    summary = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    raise UserError(
        f"{len(failed)} of {len(entries)} videos could not be read, or not decoded in time "
        f"({summary}), which may pass; they are listed in {part / TOLD}; see whether their disk "
        "answers and start again: what else was decoded is kept, and what fails then is left out"
    )


def _check_space(part: Path, settings: IngestSettings, videos: int) -> None:
    """Refuse to start where the frames cannot fit on the disk."""
    if settings.stored_frames is None:
        return
    frame = settings.shape.size**2 * settings.shape.channels
    there = sum(path.stat().st_size for path in part.iterdir())
    need = videos * settings.stored_frames * frame - there
    free = shutil.disk_usage(part).free
    if need > free:
        raise UserError(
            f"{part.parent}: decoded frames may take {need / 1e9:.1f} GB and {free / 1e9:.1f} GB "
            "are free; set data.cache to another disk, or lower data.size or data.stored_frames"
        )


def _seal(part: Path, entries: Sequence[Entry], settings: IngestSettings) -> Path:
    """Write the index and the hashes, and move the store to its place."""
    columns = {
        field.name: [getattr(entry, field.name) for entry in entries] for field in fields(Entry)
    }
    pq.write_table(pa.table(columns), part / INDEX)
    content = hash_json(
        {
            "settings": settings.as_json(),
            "videos": [(entry.video, entry.content, entry.error) for entry in entries],
        }
    )
    shards = [part / INDEX, *sorted(part.glob("frames-*.u8"))]
    seal = {
        "content": content,
        "settings": settings.as_json(),
        "shards": {path.name: [path.stat().st_size, hash_file(path)] for path in shards},
        "refused": sum(bool(entry.error) for entry in entries),
        "videos": len(entries),
    }
    write_json(part / SEAL, seal)
    (part / TOLD).unlink(missing_ok=True)
    forget_shards(part)
    key = part.name.strip(".").removesuffix(PART_SUFFIX)
    final = part.parent / f"{key}-{content[:16]}"
    if final.exists():
        # the same bytes under other times of change; who has mapped it goes on
        shutil.rmtree(part)
    else:
        part.rename(final)
    return final
