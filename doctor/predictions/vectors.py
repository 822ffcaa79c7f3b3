"""Matrices of embeddings, read in blocks, and what one pass over them shows."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, UInt64

from cinelex.core.errors import UserError

BLOCK = 8192
SKETCH = 64
"""Dimensions of the sketch; a cosine in it is off by some 1/8, a mean of thousands by nothing."""


@dataclass(frozen=True)
class Sketch:
    """What one pass over a matrix keeps, some 300 bytes a row."""

    rows: Float[np.ndarray, "row sketch"]
    """Each row's direction from the mean direction, projected at random; 0 where it has none."""
    sound: Bool[np.ndarray, " row"]
    """Whether a row is finite and not zero."""
    key: UInt64[np.ndarray, " row"]
    """Equal for rows that are equal to the bit."""
    dim: int

    @cached_property
    def signs(self) -> UInt64[np.ndarray, " row"]:
        """Equal for most rows that are nearly equal."""
        return np.packbits(self.rows > 0, axis=1).view(np.uint64)[:, 0]


@dataclass(frozen=True)
class Vectors:
    """One matrix of embeddings, a row each row of the table."""

    name: str
    source: Any
    """A matrix, perhaps on the disk, or the Parquet file that has it as a column."""
    kept: Int[np.ndarray, " row"]
    """The rows of the source that are rows of the table."""

    @cached_property
    def sketch(self) -> Sketch:
        """Read the matrix once."""
        count = len(self.kept)
        flat = np.empty((count, SKETCH), np.float32)
        sound, key = np.empty(count, bool), np.empty(count, np.uint64)
        first = dim = 0
        for block in self.blocks():
            part = slice(first, first + len(block))
            flat[part], sound[part], key[part], dim = _looked(block, self.name)
            first = part.stop
        _centre(flat, sound)
        norms = row_lengths(flat)
        flat /= np.maximum(norms, 1e-12)[:, None]
        # rows that all coincide leave only rounding after the mean is taken off
        flat[norms < 1e-6] = 0.0
        # the null of agreement is that of rows whose mean is 0, which unit length has moved
        _centre(flat, sound)
        return Sketch(flat, sound, key, dim)

    def blocks(self) -> Iterator[Float[np.ndarray, "row dim"]]:
        """Yield the rows of the table in their order, some thousands at once, as float32."""
        if not isinstance(self.source, Path):
            for start in range(0, len(self.kept), BLOCK):
                yield np.asarray(self.source[self.kept[start : start + BLOCK]], np.float32)
            return
        first = 0
        from pyarrow.parquet import ParquetFile  # here, because every rule imports this module

        for batch in ParquetFile(self.source).iter_batches(BLOCK, columns=[self.name]):
            rows = _matrix(batch.column(0), self.name)
            low, high = np.searchsorted(self.kept, (first, first + len(rows)))
            first, chosen = first + len(rows), self.kept[low:high] - first
            if len(chosen):
                yield rows[chosen]

    def some(self, rows: Int[np.ndarray, " chosen"]) -> Float[np.ndarray, "chosen dim"]:
        """Return a few rows by their place in the table, in that order."""
        if not isinstance(self.source, Path):
            return np.asarray(self.source[self.kept[rows]], np.float32)
        found: dict[int, np.ndarray] = {}
        first = 0
        wanted = np.unique(rows)
        for block in self.blocks():
            low, high = np.searchsorted(wanted, (first, first + len(block)))
            found |= {int(row): block[row - first].copy() for row in wanted[low:high]}
            first += len(block)
        return np.stack([found[int(row)] for row in rows])


def row_lengths(rows: Float[np.ndarray, "row dim"]) -> Float[np.ndarray, " row"]:
    """Return the length of each row without a second matrix of that size."""
    return np.asarray(np.sqrt(np.einsum("rd,rd->r", rows, rows)))


def _centre(rows: Float[np.ndarray, "row dim"], sound: Bool[np.ndarray, " row"]) -> None:
    """Take the mean of the sound rows off them, in place."""
    if not sound.any():
        return
    some = sound[:, None]
    mean = np.mean(rows, axis=0, dtype=np.float64, where=some).astype(np.float32)
    np.subtract(rows, mean, out=rows, where=some)


def _matrix(column: Any, name: str) -> Float[np.ndarray, "row dim"]:
    """Return a column of lists as a matrix; a row that is missing is not a number."""
    values = column.flatten().to_numpy(zero_copy_only=False)
    there = column.is_valid().to_numpy(zero_copy_only=False)
    lengths = np.unique(column.value_lengths().drop_null().to_numpy(zero_copy_only=False))
    if len(lengths) > 1:
        raise UserError(f"column {name!r}: its rows have {len(lengths)} different lengths")
    width = int(lengths[0]) if len(lengths) else 1
    rows = np.full((len(column), width), np.nan, np.float32)
    rows[there] = values.reshape(-1, width)
    return rows


def _looked(
    block: Float[np.ndarray, "row dim"], name: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    if block.ndim != 2:
        raise UserError(f"{name}: expected a matrix with a row for each id")
    sound = np.isfinite(block).all(axis=1) & block.any(axis=1)
    unit = np.where(sound[:, None], block, 0.0)
    unit = unit / np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-30)
    directions = np.random.default_rng(0).standard_normal((block.shape[1], SKETCH))
    keys = [int.from_bytes(blake2b(row.tobytes(), digest_size=8).digest()) for row in block]
    flat = (unit @ (directions / np.sqrt(SKETCH)).astype(np.float32)).astype(np.float32)
    return flat, sound, np.array(keys, np.uint64), block.shape[1]
