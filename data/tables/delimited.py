"""Text with separated cells: CSV and its like."""

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from cinelex.core.errors import UserError
from cinelex.data.tables.encoding import BLOCK
from cinelex.data.tables.table import Table, breaks

SEPARATORS = ",;\t|"
"""What is tried where nobody says what stands between cells; the first wins a tie."""
SEPARATOR_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
HEAD = 1 << 16
"""Bytes in which the header is looked for."""
PREAMBLE = re.compile(
    rb"(?:[ \t]*\r?\n)*(?:(?P<mark>\"?)sep=(?P<said>[^\r\n])(?P=mark)\r?\n)?", re.IGNORECASE
)
"""What may stand above the header: blank lines, and Excel's word on the separator."""
LARGEST_BLOCK = 1 << 30
MAX_COLUMNS = 4096
OddRow = tuple[int, int, int, int]
"""Number of a row (the header is 1), its cells, the header's cells, the line breaks in it."""
STAND_INS = "\x1f\x1e\x1d\x1c" + "".join(map(chr, [*range(1, 9), 11, 12, *range(14, 28), 127]))
"""Characters that may stand in for a separator that is not one ASCII character."""


@dataclass(frozen=True)
class Text:
    """UTF-8 without a mark: all of it, or the file that holds it."""

    path: Path
    data: bytes | None
    """None where the file itself is such text, so that it need not be held."""
    quotes: int
    """Double quotes in it."""

    def head(self) -> bytes:
        """Return the first bytes."""
        if self.data is not None:
            return self.data[:HEAD]
        with self.path.open("rb") as stream:
            return stream.read(HEAD)

    def whole(self) -> bytes:
        """Return all of it."""
        return self.path.read_bytes() if self.data is None else self.data


def read_delimited(text: Text, *, separator: str | None, section: str, encoding: str) -> Table:
    """Read text whose first line names the columns, every cell as it stands.

    Args:
        text: The text.
        separator: Between cells, any text; None takes what a first line ``sep=;`` says, else the
            one of comma, semicolon, tab and bar that cuts the header into most cells.
        section: Section of the config, for messages.
        encoding: What the text was in, for people.

    Raises:
        UserError: The file is empty, a row has too few or too many cells, or a quote is never
            closed; the message has the line.
    """
    path = text.path
    preamble = PREAMBLE.match(text.head())
    assert preamble is not None, "it matches nothing too"
    if preamble.end():
        text = Text(path, text.whole()[preamble.end() :], text.quotes)
    above, head = preamble.group().count(b"\n"), text.head()
    if not head.strip() and not text.whole().strip():
        raise UserError(f"{path}: the file is empty; expected a header line with column names")
    said = (preamble.group("said") or b"").decode()
    separator = separator or said or _likeliest_separator(head)
    cells = _fast(text, separator) or _careful(path, text.whole(), separator, above)
    names = tuple(str(column[0].as_py()).strip() for column in cells)
    between = SEPARATOR_NAMES.get(separator, repr(separator))
    return Table(
        path=path,
        names=names,
        cells=tuple(column.slice(1) for column in cells),
        unit="line",
        first=2 + above + sum(name.count("\n") for name in names),
        how=f"{between}-separated, {encoding}",
        section=section,
    )


def _likeliest_separator(head: bytes) -> str:
    """Return what cuts the first line into most cells."""
    line = head.decode("utf-8", "ignore").splitlines()[:20]
    counts = {mark: len(next(csv.reader(line, delimiter=mark), [])) for mark in SEPARATORS}
    return max(counts, key=lambda mark: counts[mark])


def _fast(text: Text, separator: str) -> list[Any] | None:
    """Return the columns of a file that holds no surprise, read by all cores; None for others."""
    if len(separator) > 1 or not separator.isascii() or text.quotes % 2:
        return None
    source = pa.OSFile(str(text.path)) if text.data is None else pa.BufferReader(text.data)
    try:
        with source:
            return _read(source, separator, block=BLOCK).columns
    except pa.ArrowException:  # the careful reader says what is wrong, and where
        return None


def _careful(path: Path, data: bytes, separator: str, above: int) -> list[Any]:
    """Return the columns, or say at which line the file is wrong.

    Raises:
        UserError: It is.
    """
    inner = _inner_separator(path, data, separator)
    cells, refused = _parse(path, data.replace(separator.encode(), inner.encode()), inner)
    if inner != separator:
        cells = [pc.replace_substring(column, inner, separator) for column in cells]
    _refuse_open_quote(path, data, cells, refused, above)
    if refused:
        number, found, expected, _ = refused[0]
        line = number + breaks(cells, number - 1) + above
        raise UserError(
            f"{path}: line {line} has {found} cells where the header has {expected}; quote cells "
            f"that hold the separator or a line break ({len(refused)} such rows)"
        )
    return cells


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
        line_breaks = row.text.count("\n")
        refused.append((row.number, row.actual_columns, row.expected_columns, line_breaks))
        return "skip"

    whole = data + b"\n"
    block = min(len(whole) + 1, LARGEST_BLOCK)  # a cell may be that long
    try:
        table = _read(pa.BufferReader(whole), separator, block=block, note=note)
    except pa.ArrowException as error:
        # Arrow's own message quotes the row.
        raise UserError(f"{path}: not a CSV that can be read ({type(error).__name__})") from None
    return table.columns, refused


def _read(
    source: Any, separator: str, *, block: int, note: Callable[[Any], str] | None = None
) -> pa.Table:
    """Return all rows as text; ``note`` is told of each row of odd length, by its number."""
    return pyarrow.csv.read_csv(
        source,
        read_options=pyarrow.csv.ReadOptions(
            use_threads=note is None,  # with threads rows have no numbers
            block_size=block,
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
            check_utf8=False,  # it was checked as a whole
        ),
    )


def _refuse_open_quote(
    path: Path, data: bytes, cells: Sequence[Any], refused: Sequence[OddRow], above: int
) -> None:
    """Refuse a file whose last row swallowed the lines after a quote that never closes."""
    rows = len(cells[0])
    number = rows + len(refused)
    last_refused = bool(refused) and refused[-1][0] == number
    swallowed = refused[-1][3] if last_refused else breaks([c.slice(rows - 1) for c in cells], 1)
    if swallowed and data.count(b'"') % 2:
        before = rows if last_refused else rows - 1
        line = number + breaks(cells, before) + sum(row[3] for row in refused if row[0] < number)
        raise UserError(f"{path}: a quote that opens at line {line + above} is never closed")
