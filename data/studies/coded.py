"""Cells of text, each said once however many rows have it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Int

INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff" + "".join(
    mark for mark in map(chr, range(0x3001)) if mark.isspace()
)
"""Marks without width, and blanks, which text copied from pages and messengers has at its ends."""


@dataclass(frozen=True)
class Coded:
    """Text cells, each said once, and which of them every row has."""

    texts: pa.LargeStringArray
    """Different from one another, by first appearance."""
    codes: Int[np.ndarray, " row"]
    """The place in ``texts`` of every row's."""

    def rows_where(self, true: Any) -> Bool[np.ndarray, " row"]:
        """Return which rows have a text for which an Arrow array over ``texts`` is true."""
        mask = np.asarray(true.to_numpy(zero_copy_only=False), bool)
        return mask[self.codes] if mask.any() else np.zeros(len(self.codes), bool)

    def blank(self) -> Bool[np.ndarray, " row"]:
        """Return which rows say nothing."""
        return self.rows_where(pc.equal(self.texts, ""))

    def at(self, rows: Int[np.ndarray, " chosen"]) -> "Coded":
        """Return some rows, in another order."""
        return Coded(self.texts, self.codes[rows])

    def mapped(self, change: Callable[[Any], Any]) -> "Coded":
        """Return what an Arrow function makes of the texts; equal results are one text."""
        return _recoded(change(self.texts), self.codes)


def trimmed(cells: Any) -> Any:
    """Return cells without blanks around them, nor marks that nobody sees."""
    plain = pc.utf8_trim_whitespace(cells)
    return plain if pc.all(pc.string_is_ascii(plain)).as_py() else pc.utf8_trim(plain, INVISIBLE)


def composed(texts: Any) -> Any:
    """Return texts with each accent in its letter (NFC), as most systems write them."""
    ascii_only = pc.all(pc.string_is_ascii(texts)).as_py()
    return texts if ascii_only else pc.utf8_normalize(texts, "NFC")


def coded(cells: Any) -> Coded:
    """Return a column's cells without blanks around them, each accent in its letter.

    Cells that repeat the one above them, as reports do, are neither copied nor hashed.
    """
    if pa.types.is_dictionary(cells.type):
        return _of_dictionaries(cells.chunks)
    runs = [pc.run_end_encode(chunk) for chunk in cells.chunks]
    texts = pa.chunked_array([composed(trimmed(run.values)) for run in runs], pa.large_string())
    ends = [np.diff(run.run_ends.to_numpy(), prepend=0) for run in runs]
    lengths = np.concatenate(ends) if ends else np.zeros(0, np.int64)
    del runs
    return _recoded(texts, np.repeat(np.arange(len(lengths)), lengths))


def _of_dictionaries(chunks: Sequence[Any]) -> Coded:
    known = [composed(trimmed(chunk.dictionary)) for chunk in chunks]
    starts = np.cumsum([0, *map(len, known)])
    codes = [start + chunk.indices.to_numpy() for start, chunk in zip(starts, chunks, strict=False)]
    return _recoded(pa.chunked_array(known, pa.large_string()), np.concatenate(codes))


def _recoded(texts: Any, codes: Int[np.ndarray, " row"]) -> Coded:
    encoded = texts.dictionary_encode()
    chunks = encoded.chunks if isinstance(encoded, pa.ChunkedArray) else [encoded]
    if not chunks:
        return Coded(pa.array([], pa.large_string()), codes)
    different = chunks[-1].dictionary  # every chunk has the one of the whole column
    if len(different) == len(texts):
        return Coded(different, codes)
    places = np.concatenate([chunk.indices.to_numpy() for chunk in chunks])
    return Coded(different, places[codes])


def constant(text: str, rows: int) -> Coded:
    """Return one text for all rows."""
    return Coded(pa.array([text], pa.large_string()), np.zeros(rows, np.int64))


def one_blank(texts: Any) -> Any:
    """Return texts with one space for every run of blanks and line breaks."""
    plain = [" ".join(text.split()) for text in texts.to_pylist()]
    return pa.array(plain, pa.large_string())
