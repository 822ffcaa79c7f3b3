"""Tables that are not separated text: Parquet, Excel workbooks, JSON lines."""

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError  # what openpyxl raises; nothing is parsed with it

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cinelex.core.errors import UserError
from cinelex.data.tables.table import Table, as_text

MAX_SHEET_COLUMNS = 1024
PARQUET_ROWS = 1 << 17
DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, struct.error, ParseError, EOFError, OSError, LookupError),
    *(ValueError, TypeError, AttributeError, NotImplementedError, RuntimeError),
)
"""What openpyxl raises over a workbook that is cut, changed, encrypted or something else."""


def read_parquet(path: Path, *, section: str) -> Table:
    """Read a Parquet file; columns of lists and structs are left out, and known as such.

    Raises:
        UserError: It is none.
    """
    try:
        with pq.ParquetFile(path) as file:
            names, types = file.schema_arrow.names, file.schema_arrow.types
            columns: list[list[Any] | None] = [[] for _ in names]
            for batch in file.iter_batches(PARQUET_ROWS):  # so that nothing is there twice
                pairs = zip(columns, batch.columns, strict=True)
                columns = [_more(chunks, cells) for chunks, cells in pairs]
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path}: not a Parquet file ({type(error).__name__})") from None
    there = [
        (name, pa.chunked_array(chunks, chunks[0].type if chunks else pa.large_string()))
        for name, chunks in zip(names, columns, strict=True)
        if chunks is not None
    ]
    found, cells = [name for name, _ in there], [column for _, column in there]
    kinds = zip(names, types, columns, strict=True)
    left_out = {name: _kind(kind) for name, kind, chunks in kinds if chunks is None}
    return Table(path, tuple(found), tuple(cells), "row", 1, "Parquet", section, left_out)


def _kind(kind: Any) -> str:
    """Return what a column holds, in words; names of fields may be content."""
    plain = {pa.types.is_list: "lists", pa.types.is_large_list: "lists"}
    plain |= {pa.types.is_struct: "structs", pa.types.is_map: "maps"}
    return next((words for is_one, words in plain.items() if is_one(kind)), "values")


def _more(chunks: list[Any] | None, cells: Any) -> list[Any] | None:
    """Return a column of text and some more of its cells; None where they are lists or structs."""
    if chunks is None:
        return None
    if pa.types.is_dictionary(cells.type):
        cells = pc.cast(cells, cells.type.value_type)
    try:
        text = pc.fill_null(pc.cast(cells, pa.large_string()), "")
    except pa.ArrowException:
        return None  # reported as missing where somebody names it
    repeats = (
        pa.types.is_dictionary(chunks[0].type) if chunks else 2 * len(pc.unique(text)) <= len(text)
    )
    return [*chunks, text.dictionary_encode() if repeats else text]


def read_workbook(path: Path, *, section: str) -> Table:
    """Read the first sheet of an Excel workbook that is not empty, as its cells' values.

    Raises:
        UserError: The workbook is damaged or empty.
    """
    from openpyxl import load_workbook  # here, because it takes a while

    content = io.BytesIO(path.read_bytes())
    try:
        book = load_workbook(content, read_only=True, data_only=True)
        sheets = [list(_sheet_rows(sheet)) for sheet in book.worksheets]
        unsaved = _unsaved_formula(content, sheets)
    except DAMAGED:
        raise UserError(f"{path}: not a readable workbook; save it again, or as CSV") from None
    if unsaved:
        raise UserError(
            f"{path}: row {unsaved} holds a formula whose result was never saved; open the "
            "workbook in Excel and save it, or save it as CSV"
        )
    filled = [rows for rows in sheets if any(any(row) for row in rows)]
    if not filled:
        raise UserError(f"{path}: the workbook is empty; expected a row with column names")
    rows = filled[0]
    top = next(number for number, row in enumerate(rows) if any(row))
    width = max(number + 1 for row in rows for number, cell in enumerate(row) if cell)
    body = [(*row, *[""] * (width - len(row)))[:width] for row in rows[top:]]
    names = tuple(name.strip() for name in body[0])
    others = f", the first of {len(filled)} sheets" if len(filled) > 1 else ""
    cells = as_text(path, [list(column) for column in zip(*body[1:], strict=True)] or [[]] * width)
    return Table(path, names, cells, "row", top + 2, f"Excel workbook{others}", section)


def read_json_lines(path: Path, text: bytes, *, section: str, encoding: str) -> Table:
    """Read an object a line, whose keys are the columns; keys with lists or objects are left out.

    Raises:
        UserError: A line is no JSON object, or has a key twice; the message has the line.
    """
    lines = enumerate(text.splitlines(), 1)
    objects = (_json_object(path, number, line) for number, line in lines)
    return _of_objects(path, objects, "line", f"JSON lines, {encoding}", section)


def read_json_array(path: Path, text: bytes, *, section: str, encoding: str) -> Table:
    """Read a list of objects, whose keys are the columns; keys with lists or objects are left out.

    Raises:
        UserError: It is no such list.
    """
    try:
        found = json.loads(text, object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError):  # their messages may quote what is there
        found = None
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise UserError(f"{path}: not a JSON list of objects with every key once")
    return _of_objects(path, found, "row", f"JSON list, {encoding}", section)


def _of_objects(
    path: Path, objects: Iterable[dict[str, Any]], unit: str, how: str, section: str
) -> Table:
    columns: dict[str, list[str]] = {}
    nested: set[str] = set()
    count = 0
    for count, item in enumerate(objects, 1):
        for name, value in item.items():
            if isinstance(value, list | dict):
                nested.add(name)
            cells = columns.setdefault(name, [])
            cells += [""] * (count - 1 - len(cells))
            cells.append(_json_text(value))
    kept = {name: cells for name, cells in columns.items() if name not in nested}
    whole = as_text(path, [cells + [""] * (count - len(cells)) for cells in kept.values()])
    left_out = dict.fromkeys(nested, "lists or objects")
    return Table(path, tuple(kept), whole, unit, 1, how, section, left_out)


def _json_object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    """Return the object of a line; a blank line has none."""
    if not line.strip():
        return {}
    try:
        found = json.loads(line, object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError):  # their messages may quote the line
        found = None
    if not isinstance(found, dict):
        raise UserError(f"{path}: line {number} is not a JSON object with every key once")
    return found


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def _json_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # as of Parquet and of Excel
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _unsaved_formula(content: io.BytesIO, sheets: list[list[tuple[str, ...]]]) -> int | None:
    """Return the first row, from 1, with a formula that has no value; None where none has."""
    from openpyxl import load_workbook

    with zipfile.ZipFile(content) as parts:
        sheet_files = [name for name in parts.namelist() if "/worksheets/" in name]
        if not any(b"<f" in parts.read(name) for name in sheet_files):
            return None
    book = load_workbook(content, read_only=True)
    for sheet, values in zip(book.worksheets, sheets, strict=True):
        for number, (row, said) in enumerate(zip(_sheet_rows(sheet), values, strict=True), 1):
            cells = zip(row, said, strict=True)
            if any(cell.startswith("=") and not value for cell, value in cells):
                return number
    return None


def _sheet_rows(sheet: Any) -> Iterator[tuple[str, ...]]:
    for row in sheet.iter_rows(max_col=MAX_SHEET_COLUMNS, values_only=True):
        yield tuple(_cell_text(value) for value in row)


def _cell_text(value: Any) -> str:
    """Return what a cell says as text: 7 rather than 7.0, days as YYYY-MM-DD."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date | time) else str(value)
