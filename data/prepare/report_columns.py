"""Which column of a table of reports holds what, and what its cells mean."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from difflib import get_close_matches
from typing import Final

from cinelex.core.errors import UserError
from cinelex.data.tables.names import MAX_SHOWN, shown
from cinelex.data.tables.usual import USUAL, usual_columns

FIELDS: Final = {
    "accession": "accession",
    "study_uid": "study_uid",
    "patient": "patient",
    "date": "date",
    "text": "report",
}
"""The fields, and what ``data.tables.usual`` calls the columns that usually hold them."""


def find_columns(names: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the name of the column of each field that is there.

    Args:
        names: The columns of the table.
        given: Fields by the name that somebody has given.

    Raises:
        UserError: A given name is not there, or there is no text, or nothing to join by.
    """
    for field, name in given.items():
        if name not in names:
            near = get_close_matches(name, names, n=3, cutoff=0.4)
            raise UserError(
                f"--reports: no column {name!r} for reports.columns.{field}; "
                f"{_there(near, names, [name])}"
            )
    found = {field: usual_columns(names, kind) for field, kind in FIELDS.items()}
    columns = {field: usual[0] for field, usual in found.items() if usual} | dict(given)
    if "text" not in columns:
        raise _missing("text", "the text of the reports", names)
    if (
        not {"accession", "study_uid"} & columns.keys()
        and not {"patient", "date"} <= columns.keys()
    ):
        what = "an accession number, a StudyInstanceUID, or a patient ID and a date"
        raise _missing("accession", what, names)
    return columns


def _missing(field: str, what: str, names: Sequence[str]) -> UserError:
    lower = {name.casefold(): name for name in names}
    near = [
        lower[word]
        for usual in USUAL[FIELDS[field]]
        for word in get_close_matches(usual, lower, n=1, cutoff=0.5)
    ]
    return UserError(
        f"--reports: no column with {what}; "
        f"{_there(list(dict.fromkeys(near)), names, USUAL[FIELDS[field]])}; name it with "
        f"reports.columns.{field}="
    )


def _there(near: Sequence[str], names: Sequence[str], wanted: Iterable[str]) -> str:
    """Return what columns there are; of a file without a header nothing is repeated."""
    safe = {name for name in names if shown(name, wanted=wanted)}
    if found := [name for name in near if name in safe]:
        return f"nearest: {', '.join(map(repr, found[:3]))}"
    if not safe:
        return f"none of its {len(names)} columns has a usual name; is its first line a header?"
    there = [name for name in names if name in safe][:MAX_SHOWN]
    others = len(names) - len(there)
    return f"there are {', '.join(map(repr, there))}" + (f" and {others} others" if others else "")


def plain_id(text: str) -> str:
    """Return an id as it is compared: Excel takes leading zeros and adds ".0"."""
    text = text.strip().strip("'\"").upper()
    number = re.fullmatch(r"0*(\d+)(?:\.0+)?", text)
    return number[1] if number else text


def parse_days(cells: Iterable[str]) -> list[date | None]:
    """Return the day that each cell means, ISO, YYYYMMDD, or with day or month first.

    Whether the day is first is read from all cells together; where nothing tells, it is.
    """
    cells = [cell.strip() for cell in cells]
    found = [re.match(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d{2})\b", cell) for cell in cells]
    day_first = not any(match and int(match[2]) > 12 for match in found)
    return [_day(cell, match, day_first) for cell, match in zip(cells, found, strict=True)]


def _day(cell: str, match: "re.Match[str] | None", day_first: bool) -> date | None:  # noqa: FBT001
    try:
        if match is None:
            plain = cell[:10] if "-" in cell[:10] else cell[:8]
            return datetime.fromisoformat(plain).date()
        first, second, year = (int(part) for part in match.groups())
        day, month = (first, second) if day_first or first > 12 else (second, first)
        return date(year + (2000 if year < 70 else 1900) * (year < 100), month, day)
    except ValueError:
        return None
