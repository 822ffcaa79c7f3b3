"""Sorted texts in one Arrow array, found by halving: no object for each."""

from bisect import bisect_left
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa


class SortedText:
    """Texts in the order of their UTF-8 bytes."""

    def __init__(self, column: Any) -> None:
        """Look at a column of large strings, in place where it is one array already."""
        if isinstance(column, pa.ChunkedArray):
            column = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
        self.array = column
        _, ends, data = self.array.buffers()
        first = self.array.offset
        self._ends = np.frombuffer(ends, np.int64)[first : first + len(self.array) + 1]
        self._data = memoryview(data or b"")

    def __len__(self) -> int:
        return len(self.array)

    def place(self, text: str) -> int:
        """Return where a text is; -1 where it is not."""
        wanted = text.encode()
        place = bisect_left(range(len(self)), wanted, key=self._at)
        return place if place < len(self) and self._at(place) == wanted else -1

    @cached_property
    def width(self) -> int:
        """The bytes of each, where all have as many; else 0."""
        lengths = np.diff(self._ends)
        return int(lengths[0]) if len(lengths) and (lengths == lengths[0]).all() else 0

    def fixed(self, width: int) -> Any:
        """Return texts of one width as an array of bytes, in place."""
        _, data = self.lengths_and_bytes()
        return np.frombuffer(data, f"S{width}")

    def lengths_and_bytes(self) -> tuple[bytes, memoryview]:
        """Return what a hash of all texts is made of."""
        return np.diff(self._ends).tobytes(), self._data[self._ends[0] : self._ends[-1]]

    def _at(self, place: int) -> bytes:
        return bytes(self._data[self._ends[place] : self._ends[place + 1]])
