"""The rows of a manifest, checked against one another."""

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
    fields = ("study", "video", "report", "split", "patient", "noise_mse")
    names = {field: getattr(columns, field) for field in fields}
    names |= {f"extra {name}": name for name in columns.extra}
    rows = pd.DataFrame(
        {
            field: table.column(name).to_pandas().astype("str")
            if name is not None
            else pd.Series([ONLY_SPLIT if field == "split" else ""] * table.rows, dtype="str")
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
        table.refuse_first(wrong, names[field], "holds a control character")
    table.refuse_first(rows["report"].str.contains("\0"), names["report"], "holds a NUL")
    for field in ("study", "split"):
        table.refuse_first(rows[field] == "", names[field], "is empty")
    rows["split"] = rows["split"].str.lower().replace(SPLIT_NAMES)
    return rows


def refuse_videos_twice(table: Table, columns: Columns, rows: pd.DataFrame) -> None:
    """Refuse a video that a study has twice, and one that two splits share.

    Raises:
        UserError: There is such a video; the message has the row.
    """
    there = rows["video"] != ""
    twice = rows.duplicated(["study", "video"]) & there
    problem = "the study has this video on an earlier row already"
    table.refuse_first(twice, columns.video, problem)
    shared = (_first_of(rows, "video", "split") != rows["split"]) & there
    table.refuse_first(shared, columns.video, "an earlier row has it in another split")


def refuse_contradictions(table: Table, columns: Columns, rows: pd.DataFrame) -> None:
    """Refuse a study whose rows name two splits, patients or reports, and a patient in two splits.

    A blank patient or report contradicts nothing.

    Raises:
        UserError: There is such a study or patient; the message has both rows.
    """
    for owner, field, column, what in (
        ("study", "split", columns.split, "is in another split"),
        ("study", "patient", columns.patient, "has another patient"),
        ("study", "report", columns.report, "has another report"),
        ("patient", "split", columns.patient, "is in another split"),
    ):
        said = rows[(rows[owner] != "") & (rows[field].str.strip() != "")]
        wrong = said[_first_of(said, owner, field) != said[field]]
        if len(wrong):
            first = said.index[said[owner] == wrong[owner].iloc[0]][0]
            problem = f"the same {owner} {what} at {table.where(int(first))}"
            raise table.refusal(int(wrong.index[0]), column, problem)


def _first_of(rows: pd.DataFrame, owner: str, field: str) -> pd.Series:
    """Return for every row what the first row of the same owner says."""
    codes = pd.factorize(rows[owner])[0]
    _, first = np.unique(codes, return_index=True)
    return pd.Series(rows[field].array.take(first[codes]), index=rows.index)
