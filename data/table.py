"""A manifest's cells as text, with the file line of every row."""

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from core.errors import UserError

LARGEST_BLOCK = 1 << 30
INNER_SEPARATOR = "\x1f"
"""Stands in for a separator that is not one ASCII character."""


@dataclass(frozen=True)
class Table:
    """All cells as text, row by row."""

    path: Path
    columns: dict[str, pa.ChunkedArray]
    rows: int
    has_lines: bool
    """True for text files, whose rows are named by their line; others count rows from 1."""

    def where(self, row: int) -> str:
        """Return how a person finds a row, counted here from 0: "line 7" or "row 6"."""
        if not self.has_lines:
            return f"row {row + 1}"
        inside = 0
        for cells in self.columns.values():
            breaks = pc.count_substring(cells.slice(0, row), "\n")
            inside += pc.sum(breaks).as_py() or 0
        heads = sum(name.count("\n") for name in self.columns)
        return f"line {row + 2 + inside + heads}"


def read_table(path: Path, *, separator: str) -> Table:
    """Read a CSV (UTF-8 with or without BOM, UTF-16 with BOM, else Latin-1) or a Parquet file.

    Raises:
        UserError: The file is missing or empty, a row has too few or too many cells, a column is
            there twice, or a quote is never closed.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; set data.manifest to a CSV or Parquet file")
    if path.suffix.lower() in (".parquet", ".pq"):
        return _read_parquet(path)
    return _read_csv(path, separator)


def _read_parquet(path: Path) -> Table:
    try:
        table = pq.read_table(path)
    except pa.ArrowException as error:
        raise UserError(f"{path}: not a Parquet file ({type(error).__name__})") from None
    names = table.column_names
    _refuse_doubled(path, names)
    columns = {}
    for name in names:
        try:
            cells = pc.cast(table[name], pa.large_string())
        except pa.ArrowException:
            continue  # lists and structs; one that the column map names is reported as missing
        columns[name] = pc.fill_null(cells, "")
    return Table(path, columns, table.num_rows, has_lines=False)


def _read_csv(path: Path, separator: str) -> Table:
    data = _utf8(path.read_bytes())
    if not data.strip():
        raise UserError(f"{path}: the file is empty; expected a header line with column names")
    plain = len(separator) == 1 and separator.isascii()
    if not plain:
        data = data.replace(separator.encode(), INNER_SEPARATOR.encode())
    refused: list[tuple[int, int, int]] = []

    def note(row: Any) -> str:
        if row.text.strip(" \t\r\n"):
            refused.append((row.number, row.actual_columns, row.expected_columns))
        return "skip"

    names = _header(path, data, separator if plain else INNER_SEPARATOR)
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(data),
            read_options=pyarrow.csv.ReadOptions(
                use_threads=False, block_size=min(len(data) + 1, LARGEST_BLOCK)
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=separator if plain else INNER_SEPARATOR,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=note,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={name: pa.large_string() for name in names},
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowException as error:
        raise UserError(
            f"{path}: not a CSV that can be read ({type(error).__name__}); is a quote left open?"
        ) from None
    columns = {name: table[name] for name in table.column_names}
    if not plain:
        columns = {
            name: pc.replace_substring(cells, INNER_SEPARATOR, separator)
            for name, cells in columns.items()
        }
    read = Table(path, columns, table.num_rows, has_lines=True)
    if refused:
        number, found, expected = refused[0]
        raise UserError(
            f"{path}: row {number} has {found} cells where the header has {expected}; quote cells "
            f"that hold the separator or a line break ({len(refused)} such rows)"
        )
    return read


def _utf8(data: bytes) -> bytes:
    """Return text in whatever encoding as UTF-8 without a BOM."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace").encode()
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1").encode()
    return data


def _header(path: Path, data: bytes, separator: str) -> Sequence[str]:
    """Return the column names."""
    options = pyarrow.csv.ParseOptions(delimiter=separator, newlines_in_values=True)
    first = data[: max(1 << 16, 0)]
    line_end = min(
        (p for p in (first.find(b"\n"), first.find(b"\r")) if p >= 0), default=len(first)
    )
    table = pyarrow.csv.read_csv(
        pa.BufferReader(first[:line_end] + b"\n"),
        read_options=pyarrow.csv.ReadOptions(autogenerate_column_names=True),
        parse_options=options,
    )
    names = [str(table[place][0].as_py() or "") for place in range(table.num_columns)]
    _refuse_doubled(path, names)
    return names


def _refuse_doubled(path: Path, names: Sequence[str]) -> None:
    doubled = sorted({name for name in names if name and list(names).count(name) > 1})
    if doubled:
        raise UserError(f"{path}: column {doubled[0]!r} is there twice; rename or remove one")
