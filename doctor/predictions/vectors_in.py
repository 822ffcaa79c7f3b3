"""Which matrices a file holds."""

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cinelex.core.errors import UserError
from cinelex.data.tables.read import read_table
from cinelex.data.tables.table import COMMAND_LINE

MIN_NUMBERED = 8
"""Columns that differ in a number alone, from which on they are one matrix."""


@dataclass(frozen=True)
class Found:
    """A matrix of a file."""

    path: Path
    name: str
    source: Any
    """As `Vectors` takes it."""
    rows: int


def vectors_in(path: Path) -> list[Found]:
    """Return every matrix in a file: NumPy's own, columns of lists, or numbered columns.

    A NumPy file is read where it lies, and lists in Parquet block by block.

    Raises:
        UserError: The file is missing or damaged.
    """
    if path.suffix.lower() == ".npy":
        return _in_numpy(path)
    if path.suffix.lower() in (".parquet", ".pq"):
        return _in_parquet(path)
    return _in_text(path)


def _in_numpy(path: Path) -> list[Found]:
    try:
        matrix = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):
        raise UserError(f"{path}: no NumPy file of numbers that can be read") from None
    if matrix.ndim == 1:
        return []
    if matrix.ndim != 2 or not np.issubdtype(matrix.dtype, np.number):
        raise UserError(f"{path}: shape {matrix.shape}; expected a matrix of numbers, a row an id")
    return [Found(path, path.stem, matrix, len(matrix))]


def _in_parquet(path: Path) -> list[Found]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowException):
        raise UserError(f"{path}: no Parquet file that can be read") from None
    names = [
        field.name
        for field in file.schema_arrow
        if pa.types.is_list(field.type)
        or pa.types.is_large_list(field.type)
        or pa.types.is_fixed_size_list(field.type)
    ]
    numeric = [name for name in names if _is_number(file.schema_arrow.field(name).type.value_type)]
    return [Found(path, name, path, file.metadata.num_rows) for name in numeric]


def _is_number(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _in_text(path: Path) -> list[Found]:
    table = read_table(path, section=COMMAND_LINE, key="the table")
    numbered: dict[str, list[tuple[int, str]]] = defaultdict(list)
    found = []
    for name in table.names:
        parted = re.fullmatch(r"(.*?)[_.\[]?(\d+)\]?", name)
        if parted:
            numbered[parted[1] or "columns"].append((int(parted[2]), name))
        first = table.column(name)[0].as_py() if table.rows else ""
        if first.startswith("["):
            found.append(Found(path, name, _lists(path, name, table.column(name)), table.rows))
    for name, parts in numbered.items():
        if len(parts) >= MIN_NUMBERED:
            columns = [np.asarray(table.column(part).to_pylist()) for _, part in sorted(parts)]
            try:
                matrix = np.stack(columns, axis=1).astype(np.float32)
            except ValueError:
                raise UserError(f"{path}: a cell of columns {name!r} is no number") from None
            found.append(Found(path, name, matrix, table.rows))
    return found


def _lists(path: Path, name: str, cells: Any) -> np.ndarray:
    try:
        return np.array([json.loads(cell) for cell in cells.to_pylist()], np.float32)
    except (ValueError, TypeError):
        raise UserError(
            f"{path}: column {name!r}: a cell is no list of numbers as long as the others"
        ) from None
