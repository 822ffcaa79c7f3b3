"""A store of frames, from what was left of it to its seal."""

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cinelex.core.console import say
from cinelex.core.errors import UserError
from cinelex.core.files import PART_SUFFIX, hash_file, hash_json, write_json
from cinelex.data.video.decode import MAY_PASS
from cinelex.data.video.ingest import IngestSettings, decode_all
from cinelex.data.video.shards import Entry, forget_shards

INDEX = "index.parquet"
SEAL = "store.json"


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
        UserError: The disk has no room.
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
    """Name what was left out and might be there another day: a store is used for months."""
    kinds = Counter(entry.error for entry in entries if entry.error in MAY_PASS)
    if kinds:
        summary = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        say(
            f"{kinds.total()} of {len(entries)} videos could not be read, or not decoded in time, "
            f"twice ({summary}), and are left out; to try them again another day, delete "
            f"{part.parent / _key(part)}-*"
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
    forget_shards(part)
    final = part.parent / f"{_key(part)}-{content[:16]}"
    if final.exists():
        # the same bytes under other times of change; who has mapped it goes on
        shutil.rmtree(part)
    else:
        part.rename(final)
    return final


def _key(part: Path) -> str:
    return part.name.strip(".").removesuffix(PART_SUFFIX)
