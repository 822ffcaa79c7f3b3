"""Tables and pictures that any project leaves in its results, for the report page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cinelex.doctor.report.examples import png_address
from cinelex.doctor.report.names import Name
from cinelex.doctor.report.tables import NullsRow, Table, interval_text
from cinelex.doctor.run_files import RunFiles


@dataclass(frozen=True)
class Shown:
    """A picture on the page."""

    title: str
    note: str
    image: str
    """As a ``data:`` address."""


def result_tables(results: Mapping[str, Any]) -> list[Table[NullsRow]]:
    """Return the tables of ``projects.results``, each number with its interval and its nulls."""
    return [
        Table(table["title"], table["note"], tuple(_row(row) for row in table["rows"]))
        for table in results.get("tables") or []
    ]


def result_pictures(run: RunFiles) -> list[Shown]:
    """Return the pictures that can be read and lie in the run's folder."""
    found = [
        Shown(picture["title"], picture["note"], png_address(run.folder, picture["path"]))
        for picture in run.results.get("pictures") or []
    ]
    return [shown for shown in found if shown.image]


def _row(row: Mapping[str, Any]) -> NullsRow:
    """Return a row; a judged one must be better than every null that is known."""
    name = Name(row["label"], lower_is_better=row["better"] == "lower")
    value, known = row["value"], [null for null in row["nulls"].values() if null is not None]
    clear = None
    if row["better"] is not None and value is not None and known:
        clear = value < min(known) if name.lower_is_better else value > max(known)
    nulls = tuple((key.replace("_", " "), name.text(null)) for key, null in row["nulls"].items())
    interval = "" if row["low"] is None else interval_text(name, row["low"], row["high"])
    return NullsRow(name.label, name.text(value), nulls, clear, interval)
