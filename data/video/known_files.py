"""What became of every video file: by its path, size and time of change, without reading it again.

Tables are appended to a store as its shards are; any row of a file that has not changed is true.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cinelex.data.video.places import Place
from cinelex.data.video.store_index import SUFFIX, read_table, write_table

PREFIX = "files-"
MERGED_FROM = 64
SCHEMA = pa.schema(
    [
        ("file", pa.large_string()),  # path, bytes, time of change; after a refusal also the limits
        ("content", pa.large_string()),  # SHA-256 of the file; empty where it was not read
        ("error", pa.large_string()),  # name of the VideoError; empty where it was decoded
    ]
)


@dataclass(frozen=True)
class Outcome:
    """What became of a file."""

    file: str
    content: str
    error: str


class KnownFiles:
    """The tables of a store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        place = Place(folder)
        self._names = [
            name
            for name in sorted(place.sizes())
            if name.startswith(PREFIX) and name.endswith(SUFFIX)
        ]
        tables = [read_table(place, name) for name in self._names]
        self._table = pa.concat_tables([SCHEMA.empty_table(), *tables]).combine_chunks()

    def __len__(self) -> int:
        return self._table.num_rows

    def of(self, files: Any, refused: Any) -> tuple[Any, Any]:
        """Return contents and errors, null where a file is not known.

        Args:
            files: How each would stand in the table had it been decoded.
            refused: How it would had it been refused.
        """
        known = self._table["file"].combine_chunks()
        found = pc.coalesce(
            pc.index_in(refused, value_set=known), pc.index_in(files, value_set=known)
        )
        content, error = (self._table[name].combine_chunks() for name in ("content", "error"))
        return content.take(found), error.take(found)

    def forget(self, errors: frozenset[str]) -> int:
        """Forget the files that were refused with one of these errors; return how many."""
        wrong = pc.is_in(self._table["error"], value_set=pa.array(errors, pa.large_string()))
        self._rewrite(self._table.filter(pc.invert(wrong)))
        return int(pc.sum(wrong).as_py() or 0)

    def merge(self) -> None:
        """Make one table of many."""
        if len(self._names) >= MERGED_FROM:
            self._rewrite(self._table)

    def _rewrite(self, table: Any) -> None:
        merged = write_table(self.folder, PREFIX, table)
        for name in self._names:
            if name != merged.name:
                (self.folder / name).unlink(missing_ok=True)


def note(folder: Path, outcomes: Sequence[Outcome]) -> None:
    """Append what became of some files."""
    if outcomes:
        columns = {name: [getattr(each, name) for each in outcomes] for name in SCHEMA.names}
        write_table(folder, PREFIX, pa.table(columns, SCHEMA))


def stamped(paths: Any, sizes: Any, times: Any) -> Any:
    """Return how files stand in the table: path, bytes and time of change of each."""
    parts = (paths, *(pa.array(np.asarray(n)).cast(pa.large_string()) for n in (sizes, times)))
    return pc.binary_join_element_wise(*parts, pa.scalar("|", pa.large_string()))
