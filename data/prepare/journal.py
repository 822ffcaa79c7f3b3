"""Rows that are written in batches while the work goes on, and read back as one table.

A batch is there whole or not at all, so that whoever is killed loses the batch at hand and nothing
else. Any number of processes may write batches of their own into one journal.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cinelex.core.files import PART_SUFFIX, write_whole


@dataclass(frozen=True)
class Journal:
    """The batches in one folder."""

    folder: Path
    schema: Any
    """Arrow schema of a row."""
    key: tuple[str, ...]
    """Columns that say what a row is about; of two rows about the same the later one counts."""

    def append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write a batch.

        Raises:
            OSError: The disk refused.
        """
        self._write(pa.Table.from_pylist(list(rows), schema=self.schema), time.time_ns())

    def read(self) -> pd.DataFrame:
        """Return the newest row about each thing, in the order of the key."""
        rows: pd.DataFrame = self._newest().to_pandas()
        return rows

    def compact(self) -> None:
        """Make one batch of all; only while nobody else writes."""
        batches = self._batches()
        for leftover in self.folder.glob(f"*{PART_SUFFIX}"):
            leftover.unlink()
        if len(batches) < 2:
            return
        last = int(batches[-1].name.partition("-")[0])
        self._write(self._newest(), last + 1)
        for path in batches:
            path.unlink()

    def _write(self, table: Any, when: int) -> None:
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        name = f"{when:020d}-{token_hex(4)}.parquet"
        write_whole(self.folder / name, sink.getvalue().to_pybytes())

    def _newest(self) -> Any:
        batches = [pq.read_table(path, schema=self.schema) for path in self._batches()]
        table = pa.concat_tables(batches) if batches else self.schema.empty_table()
        keys: pd.DataFrame = table.select(list(self.key)).to_pandas()
        order = keys.drop_duplicates(keep="last").sort_values(list(self.key)).index
        return table.take(pa.array(order.to_numpy()))

    def _batches(self) -> list[Path]:
        return sorted(self.folder.glob("*.parquet"))
