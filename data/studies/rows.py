"""The rows of a manifest, checked against one another."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from cinelex.data.studies.study import SPLIT_NAMES, Columns
from cinelex.data.studies.table import Table

ONLY_SPLIT = "all"


def read_rows(table: Table, columns: Columns) -> pd.DataFrame:
    """Return the named columns under our names, blank lines left out.

    The index holds the row in the table. Optional columns that are not there are filled in.

    Raises:
        UserError: A column is missing, or a cell is empty or damaged where it must not be.
    """
    names = {
        field: getattr(columns, field)
        for field in ("study", "video", "report", "split", "patient", "noise_mse")
    } | {f"extra {name}": name for name in columns.extra}
    absent = {"split": ONLY_SPLIT}
    rows = pd.DataFrame(
        {
            field: table.column(name).to_pandas().astype("str")
            if name is not None
            else pd.Series([absent.get(field, "")] * table.rows, dtype="str")
            for field, name in names.items()
        }
    )
    blank = np.ones(table.rows, bool)
    for cells in table.cells:
        blank &= pc.equal(cells, "").to_numpy()
    rows = rows[~blank]
    for field in ("study", "video", "split", "patient", "noise_mse"):
        rows[field] = rows[field].str.strip()
    for field in ("study", "split", "patient"):
        wrong = rows[field].str.contains(r"[\x00-\x1f\x7f]", regex=True)
        refuse_first(table, names[field], rows, wrong, "holds a control character")
    refuse_first(table, names["report"], rows, rows["report"].str.contains("\0"), "holds a NUL")
    for field in ("study", "split"):
        refuse_first(table, names[field], rows, rows[field] == "", "is empty")
    rows["split"] = rows["split"].str.lower().replace(SPLIT_NAMES)
    return rows


def refuse_first(
    table: Table, column: str | None, rows: pd.DataFrame, wrong: Any, problem: str
) -> None:
    """Raise for the first row of which ``wrong`` is true."""
    places = np.flatnonzero(np.asarray(wrong, bool))
    if len(places):
        raise table.refusal(int(rows.index[places[0]]), column, problem)


def refuse_videos_twice(table: Table, columns: Columns, rows: pd.DataFrame) -> None:
    """Refuse a video that a study has twice, and one that two splits share.

    Raises:
        UserError: There is such a video; the message has the row.
    """
    there = rows["video"] != ""
    twice = rows.duplicated(["study", "video"]) & there
    problem = "the study has this video on an earlier row already"
    refuse_first(table, columns.video, rows, twice, problem)
    shared = (first_of(rows["split"], rows["video"]) != rows["split"]) & there
    refuse_first(table, columns.video, rows, shared, "an earlier row has it in another split")


def refuse_contradictions(table: Table, columns: Columns, rows: pd.DataFrame) -> None:
    """Refuse a study whose rows name two splits, two patients or two reports.

    A blank patient or report contradicts nothing.

    Raises:
        UserError: There is such a study; the message has both rows.
    """
    for field, what in (
        ("split", "is in another split"),
        ("patient", "has another patient"),
        ("report", "has another report"),
    ):
        said = rows[rows[field].str.strip() != ""]
        differs = first_of(said[field], said["study"]) != said[field]
        _refuse_pair(table, getattr(columns, field), said, differs, "study", what)


def refuse_leaks(table: Table, columns: Columns, rows: pd.DataFrame) -> None:
    """Refuse a patient in two splits.

    Raises:
        UserError: There is such a patient; the message has both rows.
    """
    named = rows[rows["patient"] != ""]
    differs = first_of(named["split"], named["patient"]) != named["split"]
    _refuse_pair(table, columns.patient, named, differs, "patient", "is in another split")


def first_of(values: pd.Series, owners: pd.Series) -> pd.Series:
    """Return for every row the value that the first row of the same owner has."""
    codes = pd.factorize(owners)[0]
    _, first = np.unique(codes, return_index=True)
    return pd.Series(values.array.take(first[codes]), index=values.index)


def _refuse_pair(
    table: Table, column: str | None, rows: pd.DataFrame, differs: Any, owner: str, what: str
) -> None:
    places = np.flatnonzero(np.asarray(differs, bool))
    if len(places) == 0:
        return
    same = rows[owner] == rows[owner].iloc[places[0]]
    first = int(rows.index[np.flatnonzero(np.asarray(same, bool))[0]])
    row = int(rows.index[places[0]])
    raise table.refusal(row, column, f"the same {owner} {what} at {table.where(first)}")
