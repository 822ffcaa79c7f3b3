"""The file of equalizer settings: a headerless CSV of 25 columns, and what is kept of a row.

Kept are the id, the descriptors, the thirteen parameters, and a number that tells who made which
settings. IP, location and age are dropped on reading, as is all the rest: nothing in memory or on
disk leads from a setting to a person.
"""

import csv
import hashlib
import math
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cinelex.core.errors import UserError
from cinelex.core.files import hash_file
from cinelex.data.eq.parameters import PARAMETERS

COLUMNS = (
    *("id", "descriptors", "ip", "inputs", "outputs"),
    *(item.name for item in PARAMETERS),
    *("genre", "instrument", "location", "experience", "age", "language", "checksum"),
)
"""The columns, which the file itself does not name."""
ID, WORDS, IP = COLUMNS.index("id"), COLUMNS.index("descriptors"), COLUMNS.index("ip")
FIRST = COLUMNS.index(PARAMETERS[0].name)
ROUNDING = 1e-5
"""Share of its range by which a value may be outside: the file's numbers were once float32."""


@dataclass(frozen=True)
class EqRow:
    """One setting of the equalizer, as somebody described it."""

    id: str
    descriptors: tuple[str, ...]
    """In lower case, each once, in the row's order; empty where the row has none."""
    person: int
    """The same number for all settings from one address, from 0 in the order of the file."""
    values: tuple[float, ...]
    """The thirteen parameters in physical units, each inside its range."""


@dataclass(frozen=True)
class EqFile:
    """What a file holds."""

    rows: Sequence[EqRow]
    rejects: Mapping[int, str]
    """Why each line that was left out was, by its number from 1; no cell is quoted."""
    hash: str
    """SHA-256 of the file's bytes."""


class _RowError(Exception):
    """A row that cannot be used."""


def read_eq_file(path: Path, *, reject_limit: float) -> EqFile:
    """Read the settings of a file; rows that cannot be used are left out and named by their line.

    Addresses are numbered through a hash whose key is drawn anew and forgotten: settings from one
    address can be kept together, and the address cannot be found again. Rows without an address
    count as one person's, so that they cannot leak between splits.

    Raises:
        UserError: The file is missing or empty, or a larger share of the rows than
            ``reject_limit`` cannot be used.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="replace") as stream:
            lines = [cells for cells in csv.reader(stream) if cells]
    except OSError as problem:
        raise UserError(
            f"{path}: cannot be read ({problem.strerror}); set eq.file to a CSV of "
            f"{len(COLUMNS)} columns"
        ) from None
    except csv.Error as problem:
        raise UserError(f"{path}: not a CSV that can be read ({problem})") from None
    key, people, ids = secrets.token_bytes(32), dict[bytes, int](), set[str]()
    rows, rejects = [], dict[int, str]()
    for number, cells in enumerate(lines, start=1):
        try:
            row = _row(cells, key, people)
            if row.id in ids:
                raise _RowError("its id is there already")
        except _RowError as reason:
            rejects[number] = str(reason)
            continue
        ids.add(row.id)
        rows.append(row)
    _check_rejects(path, rejects, total=len(lines), limit=reject_limit)
    return EqFile(rows, rejects, hash_file(path))


def _row(cells: Sequence[str], key: bytes, people: dict[bytes, int]) -> EqRow:
    """Return a row, and number its person.

    Raises:
        _RowError: It has too few or too many cells, or a value that no equalizer has.
    """
    if len(cells) != len(COLUMNS):
        raise _RowError(f"it has {len(cells)} cells, not {len(COLUMNS)}")
    values = tuple(_value(cells[FIRST + index], index) for index in range(len(PARAMETERS)))
    digest = hashlib.blake2b(cells[IP].strip().encode(), key=key, digest_size=16).digest()
    person = people.setdefault(digest, len(people))
    return EqRow(cells[ID].strip(), descriptors_of(cells[WORDS]), person, values)


def descriptors_of(cell: str) -> tuple[str, ...]:
    """Return the descriptors in a cell: parted by commas, in lower case, each once.

    Blanks within a descriptor become one.
    """
    words = (" ".join(word.lower().split()) for word in cell.split(","))
    return tuple(dict.fromkeys(word for word in words if word))


def _value(cell: str, index: int) -> float:
    item = PARAMETERS[index]
    try:
        value = float(cell)
    except ValueError:
        raise _RowError(f"its {item.name} is not a number") from None
    slack = ROUNDING * (item.high - item.low)
    if not (math.isfinite(value) and item.low - slack <= value <= item.high + slack):
        raise _RowError(f"its {item.name} is outside {item.low:g} to {item.high:g} {item.unit}")
    return min(item.high, max(item.low, value))


def _check_rejects(path: Path, rejects: Mapping[int, str], *, total: int, limit: float) -> None:
    """Refuse a file of which too little can be used.

    Raises:
        UserError: Names the first line that cannot be, and why.
    """
    if total == 0:
        raise UserError(f"{path}: the file is empty; expected rows of {len(COLUMNS)} cells")
    if len(rejects) > limit * total:
        first = min(rejects)
        raise UserError(
            f"{path}: {len(rejects)} of {total} rows cannot be used, the limit is "
            f"{limit:.1%} (eq.reject_limit); row {first}: {rejects[first].strip()}"
        )


def vocabulary(
    rows: Sequence[EqRow], *, min_settings: int, ignored: Sequence[str]
) -> tuple[str, ...]:
    """Return the descriptors that enough settings have, the most frequent first.

    Raises:
        UserError: There are fewer than two, so that nothing can be told apart.
    """
    counts = Counter(word for row in rows for word in row.descriptors if word not in ignored)
    words = [word for word, count in counts.most_common() if count >= min_settings]
    if len(words) < 2:
        raise UserError(
            f"{len(words)} descriptors have {min_settings} settings or more, at least 2 are "
            "needed; lower eq.min_settings"
        )
    return tuple(sorted(words, key=lambda word: (-counts[word], word)))
