"""A table of text from whatever file holds it."""

import gzip
import zlib
from pathlib import Path

from cinelex.core.errors import UserError
from cinelex.data.tables.delimited import Text, read_delimited
from cinelex.data.tables.encoding import NAMES, quotes_of_utf8, to_utf8
from cinelex.data.tables.sheets import (
    read_json_array,
    read_json_lines,
    read_parquet,
    read_workbook,
)
from cinelex.data.tables.table import COMMAND_LINE, Table

KINDS = "CSV (any separator), .csv.gz, Excel (.xlsx), JSON lines or Parquet"
OTHERS = {
    b"\xd0\xcf\x11\xe0": "an Excel workbook of before 2007",
    b"ARROW1": "a Feather (Arrow) file",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ": "compressed by xz",
    b"7z\xbc\xaf": "a 7z archive",
    b"%PDF": "a PDF",
    b"SQLite f": "an SQLite database",
    b"$FL2": "an SPSS file",
    b"\x89HDF": "an HDF5 file",
}
"""First bytes of files that are not read, and what they are."""


def read_table(
    path: Path,
    *,
    separator: str | None = None,
    encoding: str | None = None,
    section: str = "data",
    key: str = "manifest",
) -> Table:
    """Read a table in any of the common formats, all cells as text.

    What a file holds decides, not its name: Parquet, Excel, JSON lines, gzip, else separated text.
    ``Table.how`` says how it was read.

    Args:
        path: The file.
        separator: Between the cells of separated text; None finds out.
        encoding: Of text; None finds out.
        section: Section of the config that names the file, or ``COMMAND_LINE``.
        key: The key there that names it; ``separator`` and ``encoding`` stand beside it.

    Raises:
        UserError: The file is missing or empty or of no such format, a row has too few or too many
            cells, a quote is never closed, or its encoding cannot be known. The message has the
            line, and nothing of what the file holds.
    """
    if not path.is_file():
        found = "a folder, and no table" if path.is_dir() else "no such file"
        remedy = f"{key} takes" if section == COMMAND_LINE else f"set {section}.{key} to"
        raise UserError(f"{path}: {found}; {remedy} {KINDS}")
    try:
        return _read(path, separator, encoding, section)
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read ({error.strerror or type(error).__name__})"
        ) from None


def _read(path: Path, separator: str | None, encoding: str | None, section: str) -> Table:
    with path.open("rb") as stream:
        start = stream.read(8)
    if start.startswith(b"PAR1") or path.suffix.lower() in (".parquet", ".pq"):
        return read_parquet(path, section=section)
    if start.startswith(b"PK\3\4"):
        return read_workbook(path, section=section)
    other = next((what for magic, what in OTHERS.items() if start.startswith(magic)), None)
    if other:
        raise UserError(f"{path}: {other}; save it as {KINDS}")
    text, name = _text(path, start, encoding, section)
    first = text.head().lstrip()[:1]
    if first in (b"{", b"["):
        read_json = read_json_lines if first == b"{" else read_json_array
        return read_json(path, text.whole(), section=section, encoding=name)
    return read_delimited(text, separator=separator, section=section, encoding=name)


def _text(path: Path, start: bytes, encoding: str | None, section: str) -> tuple[Text, str]:
    """Return what a file holds as UTF-8, and what it was in."""
    zipped = start.startswith(b"\x1f\x8b")
    plain = not zipped and encoding is None and start[:3] != b"\xef\xbb\xbf" and b"\0" not in start
    if plain and (quotes := quotes_of_utf8(path)) is not None:
        return Text(path, None, quotes), NAMES["utf-8"]
    try:
        data = gzip.decompress(path.read_bytes()) if zipped else path.read_bytes()
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise UserError(f"{path}: a damaged gzip file; compress it again") from None
    data, name = to_utf8(path, data, encoding=encoding, key=f"{section}.encoding")
    return Text(path, data, data.count(b'"')), NAMES.get(name, name) + (", gzip" if zipped else "")
