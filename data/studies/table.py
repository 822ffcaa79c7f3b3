"""A manifest's cells as text, with the file line of every row."""

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from cinelex.core.errors import UserError

LARGEST_BLOCK = 1 << 30
MAX_COLUMNS = 4096
OddRow = tuple[int, int, int, int]
"""Number of a row (the header is 1), its cells, the header's cells, the line breaks in it."""
STAND_INS = "\x1f\x1e\x1d\x1c" + "".join(map(chr, [*range(1, 9), 11, 12, *range(14, 28), 127]))
"""Characters that may stand in for a separator that is not one ASCII character."""


@dataclass(frozen=True)
class Table:
    """All cells as text, row by row."""

    path: Path
    names: tuple[str, ...]
    cells: tuple[Any, ...]
    """One Arrow array of text a column."""
    has_lines: bool
    """True for text files, whose rows are named by their line; others count rows from 1."""

    @property
    def rows(self) -> int:
        """How many rows there are, blank ones too."""
        return len(self.cells[0]) if self.cells else 0

    def column(self, name: str) -> Any:
        """Return the cells of a column.

        Raises:
            UserError: There is none of that name; the message lists those there are.
        """
        if name not in self.names:
            have = ", ".join(repr(other) for other in self.names)
            raise UserError(
                f"{self.path}: no column {name!r}; the file has {have}; name the columns under "
                "data.columns, or set data.separator"
            )
        return self.cells[self.names.index(name)]

    def where(self, row: int) -> str:
        """Return how a person finds a row, counted here from 0: "line 7" or "row 6"."""
        if not self.has_lines:
            return f"row {row + 1}"
        above = sum(name.count("\n") for name in self.names)
        return f"line {row + 2 + above + _breaks(self.cells, row)}"

    def refusal(self, row: int, column: str | None, problem: str) -> UserError:
        """Return the error for a cell; it holds nothing of the cell."""
        return UserError(f"{self.path}: {self.where(row)}, column {column!r}: {problem}")

    def refuse_first(self, wrong: pd.Series, column: str | None, problem: str) -> None:
        """Refuse the first row that is wrong; the index counts rows as ``where`` does."""
        places = np.flatnonzero(np.asarray(wrong, bool))
        if len(places):
            raise self.refusal(int(wrong.index[places[0]]), column, problem)


def read_table(path: Path, *, separator: str) -> Table:
    """Read a CSV (UTF-8 with or without BOM, UTF-16 with BOM, else Latin-1) or a Parquet file.

    Raises:
        UserError: The file is missing or empty, a row has too few or too many cells, a column is
            there twice, or a quote is never closed.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; set data.manifest to a CSV or Parquet file")
    table = _read_parquet(path) if path.suffix.lower() in (".parquet", ".pq") else None
    table = table or _read_csv(path, separator)
    doubled = sorted({name for name in table.names if name and table.names.count(name) > 1})
    if doubled:
        raise UserError(f"{path}: column {doubled[0]!r} is there twice; rename or remove one")
    return table


def _read_parquet(path: Path) -> Table:
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path}: not a Parquet file ({type(error).__name__})") from None
    columns = {}
    for name in table.column_names:
        try:
            cells = pc.cast(table[name], pa.large_string())
        except pa.ArrowException:
            continue  # a list or a struct; reported as missing where the column map names it
        columns[name] = pc.fill_null(cells, "")
    return Table(path, tuple(columns), tuple(columns.values()), has_lines=False)


def _read_csv(path: Path, separator: str) -> Table:
    data = _utf8(path.read_bytes())
    if not data.strip():
        raise UserError(f"{path}: the file is empty; expected a header line with column names")
    inner = _inner_separator(path, data, separator)
    cells, refused = _parse(path, data.replace(separator.encode(), inner.encode()), inner)
    if inner != separator:
        cells = [pc.replace_substring(column, inner, separator) for column in cells]
    _refuse_open_quote(path, data, cells, refused)
    if refused:
        number, found, expected, _ = refused[0]
        line = number + _breaks(cells, number - 1)
        raise UserError(
            f"{path}: line {line} has {found} cells where the header has {expected}; quote cells "
            f"that hold the separator or a line break ({len(refused)} such rows)"
        )
    names = tuple(str(column[0].as_py()).strip() for column in cells)
    return Table(path, names, tuple(column.slice(1) for column in cells), has_lines=True)


def _inner_separator(path: Path, data: bytes, separator: str) -> str:
    """Return the separator, or one character that the file does not hold in its place."""
    if len(separator) == 1 and separator.isascii():
        return separator
    free = next((mark for mark in STAND_INS if mark.encode() not in data), None)
    if free is None:
        raise UserError(
            f"{path}: holds every control character, so none can stand in for the separator "
            f"{separator!r}; write it with a comma or a tab between cells"
        )
    return free


def _parse(path: Path, data: bytes, separator: str) -> tuple[list[Any], list[OddRow]]:
    """Return the columns, header row and blank lines among them, and the rows of odd length."""
    refused: list[OddRow] = []

    def note(row: Any) -> str:
        breaks = row.text.count("\n")
        refused.append((row.number, row.actual_columns, row.expected_columns, breaks))
        return "skip"

    whole = data + b"\n"
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(whole),
            read_options=pyarrow.csv.ReadOptions(
                use_threads=False,  # else rows have no numbers
                block_size=min(len(whole) + 1, LARGEST_BLOCK),  # a cell may be that long
                autogenerate_column_names=True,
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=separator,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=note,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={f"f{index}": pa.large_string() for index in range(MAX_COLUMNS)},
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowException as error:
        # Arrow's own message quotes the row.
        raise UserError(f"{path}: not a CSV that can be read ({type(error).__name__})") from None
    return table.columns, refused


def _breaks(cells: Sequence[Any], rows: int) -> int:
    """Return the line breaks inside the cells of the first rows."""
    counts = (pc.sum(pc.count_substring(column.slice(0, rows), "\n")).as_py() for column in cells)
    return sum(count or 0 for count in counts)


def _refuse_open_quote(
    path: Path, data: bytes, cells: Sequence[Any], refused: Sequence[OddRow]
) -> None:
    """Refuse a file whose last row swallowed the lines after a quote that never closes."""
    rows = len(cells[0])
    number = rows + len(refused)
    last_refused = bool(refused) and refused[-1][0] == number
    breaks = refused[-1][3] if last_refused else _breaks([c.slice(rows - 1) for c in cells], 1)
    if breaks and data.count(b'"') % 2:
        before = rows if last_refused else rows - 1
        line = number + _breaks(cells, before) + sum(row[3] for row in refused if row[0] < number)
        raise UserError(f"{path}: a quote that opens at line {line} is never closed")


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
