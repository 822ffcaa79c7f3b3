"""The index of a store: Arrow files that say where in which shard every cine is.

Each index file says in its metadata which shards it covers. One is written for every shard, and
when there are many they are merged into one; a reader takes the largest first and of the others
what is not covered yet, so that a merge needs no lock. A file's name holds the hash of its bytes.
"""

import hashlib
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int64

from cinelex.core.errors import UserError
from cinelex.core.files import PART_SUFFIX, write_whole
from cinelex.data.video.places import Place
from cinelex.data.video.sorted_text import SortedText

PREFIX = "index-"
SUFFIX = ".arrow"
TRIES = 9
LEFT_AFTER_S = 3600
"""A file that nobody has written to for as long, and nobody reads, is of a process that died."""
SCHEMA = pa.schema(
    [
        ("key", pa.large_string()),
        ("digest", pa.binary(16)),  # of the frames and their times
        ("shard", pa.int32()),  # its place in the list of the metadata
        ("offset", pa.int64()),  # first byte in the shard
        ("bytes", pa.int64()),
        ("frames", pa.int32()),
        ("rows", pa.int32()),
        ("columns", pa.int32()),
        ("channels", pa.int32()),
        ("total_frames", pa.int32()),  # of the video, of which some may have been left out
        ("timed", pa.int8()),  # 1 where frame times (ms, 8 bytes each) follow the frames
    ]
)


class Segment:
    """One index file: rows sorted by key, in mapped memory."""

    def __init__(self, table: Any) -> None:
        self.table = table
        self.shards: list[str] = json.loads(table.schema.metadata[b"shards"])

    def __len__(self) -> int:
        return self.table.num_rows

    def row(self, key: str) -> int:
        """Return the row of a key; -1 where there is none."""
        return self.keys.place(key)

    def rows(self, keys: Any) -> Int64[np.ndarray, " key"]:
        """Return the row of every key, -1 where there is none."""
        width = self.keys.width
        if width and len(keys) == pc.sum(pc.equal(pc.binary_length(keys), width)).as_py():
            return self._rows_of_width(keys, width)
        found = pc.index_in(keys, value_set=self.keys.array)
        return pc.fill_null(found, -1).to_numpy(zero_copy_only=False).astype(np.int64)

    def _rows_of_width(self, keys: Any, width: int) -> Int64[np.ndarray, " key"]:
        """Return rows by halving, which for hashes is ten times as fast as a table of them."""
        own, wanted = (SortedText(column).fixed(width) for column in (self.keys.array, keys))
        places = np.searchsorted(own, wanted)
        places[places == len(own)] = 0
        return np.where(own[places] == wanted, places, -1)

    def numbers(self, column: str) -> Any:
        """Return a column of numbers, in place."""
        return self._numbers[column]

    def numbers_at(self, row: int) -> list[int]:
        """Return all numbers of a row, in the order of ``SCHEMA``."""
        return [column.item(row) for column in self._numbers.values()]

    @cached_property
    def keys(self) -> SortedText:
        """All keys."""
        return SortedText(self.table["key"])

    @cached_property
    def _numbers(self) -> dict[str, Any]:
        names = [field.name for field in SCHEMA if pa.types.is_integer(field.type)]
        return {name: self.table[name].to_numpy() for name in names}


def read_segments(place: Place) -> list[Segment]:
    """Return the index of a folder, the largest file first; rows of shards that are gone left out.

    Raises:
        UserError: An index file is damaged.
    """
    for _ in range(TRIES):
        # a file that another process has merged is gone; the merged one is in the next list
        with suppress(FileNotFoundError):
            return _read_segments(place)
    raise UserError(f"{place.join('')}: its index keeps changing; try again")


def _read_segments(place: Place) -> list[Segment]:
    sizes = place.sizes()
    files = [name for name in sizes if name.startswith(PREFIX) and name.endswith(SUFFIX)]
    covered: set[str] = set()
    segments = []
    for name in sorted(files, key=lambda name: (-sizes[name], name)):
        segment = Segment(read_table(place, name))
        here = {shard for shard in segment.shards if shard in sizes}
        wanted = here - covered
        if wanted != set(segment.shards):
            segment = _of_shards(segment, wanted)
        if len(segment):
            segments.append(segment)
        covered |= wanted
    return segments


def _of_shards(segment: Segment, wanted: set[str]) -> Segment:
    kept = np.array([shard in wanted for shard in segment.shards], bool)
    return Segment(segment.table.filter(pa.array(kept[segment.numbers("shard")])))


def read_table(place: Place, name: str) -> Any:
    """Return an Arrow file whose name holds its hash, mapped into memory.

    Raises:
        UserError: It is not what was written.
    """
    data = place.whole(name)
    if name.rsplit("-", 1)[1].removesuffix(SUFFIX) != hashlib.sha256(data.data).hexdigest()[:16]:
        raise UserError(f"{place.join(name)}: damaged; delete it, and its videos are decoded again")
    return pa.ipc.open_file(pa.py_buffer(data)).read_all()


def write_table(folder: Path, prefix: str, table: Any) -> Path:
    """Write a table to a file whose name holds its hash, whole or not at all."""
    size = pa.MockOutputStream()
    _write_to(size, table)
    data = pa.allocate_buffer(size.size())  # one that grows would take twice as much on the way
    _write_to(pa.FixedSizeBufferWriter(data), table)
    digest = hashlib.sha256(data).hexdigest()[:16]
    path = folder / f"{prefix}{digest}{SUFFIX}"
    if not path.exists():
        write_whole(path, memoryview(data))
    return path


def _write_to(sink: Any, table: Any) -> None:
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=max(1, table.num_rows))


def write_index(folder: Path, rows: Any, shards: Sequence[str]) -> Path:
    """Write an index file over rows whose shards are numbered as they stand in ``shards``."""
    table = rows.sort_by("key").replace_schema_metadata({"shards": json.dumps(list(shards))})
    return write_table(folder, PREFIX, table)


def merge_index(folder: Path, *, least: int) -> None:
    """Merge the index files of a folder into one, where there are ``least`` or more."""
    place = Place(folder)
    files = [name for name in place.sizes() if name.startswith(PREFIX)]
    if len(files) < least:
        return
    shards: list[str] = []
    tables = []
    for segment in read_segments(place):
        numbers = pa.array(segment.numbers("shard") + np.int32(len(shards)))
        column = SCHEMA.get_field_index("shard")
        table = segment.table.set_column(column, SCHEMA.field(column), numbers)
        tables.append(table.replace_schema_metadata(None))
        shards += segment.shards
    if not tables:
        return
    merged = write_index(folder, pa.concat_tables(tables), shards)
    for name in files:
        if name != merged.name:
            (folder / name).unlink(missing_ok=True)


def unused_files(folder: Path) -> list[Path]:
    """Return what no reader looks at: shards without an index, and files left half written.

    What somebody may be writing at the moment, because it is new, is left alone.
    """
    place = Place(folder)
    covered = {shard for segment in read_segments(place) for shard in segment.shards}
    old = time.time() - LEFT_AFTER_S
    return [
        path
        for path in (folder / name for name in place.sizes())
        if path.stat().st_mtime < old
        and (
            path.name.endswith(PART_SUFFIX)
            or path.name.startswith("view-")
            or (path.name.startswith("frames-") and path.name not in covered)
        )
    ]
