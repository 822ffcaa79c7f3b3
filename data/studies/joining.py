"""The rows of each study joined into one."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float64, Int64

from cinelex.data.studies.coded import Coded
from cinelex.data.studies.rows import ANGLES, Rows
from cinelex.data.studies.studies import EXTRA


def join_rows(rows: Rows, names: pa.LargeStringArray) -> pa.Table:
    """Return a row a study, in order of appearance; its first cell that says something counts.

    See ``Studies`` for the columns.

    Args:
        rows: Checked rows.
        names: The name of each row's video, "" where it has none.

    Raises:
        UserError: A number is none.
    """
    _, first, owner = np.unique(rows.study.codes, return_index=True, return_inverse=True)
    studies = len(first)
    noise = _numbers(rows, rows.noise, rows.columns.noise_mse, least=0.0)

    def said(cells: Coded) -> Any:
        return _first_said(cells, owner, studies)

    ids = rows.study.texts.take(pa.array(rows.study.codes[first]))
    patient = said(rows.patient).dictionary_decode()
    table = {
        "id": ids,
        "patient": pc.coalesce(patient, ids),
        "split": said(rows.split).dictionary_decode(),
        "report": said(rows.report),
        "noise_mse": pa.array(_mean(noise, owner, studies), from_pandas=True),
        **_per_video(rows, names, owner, studies),
    }
    table |= {EXTRA + name: said(cells).dictionary_decode() for name, cells in rows.extra.items()}
    return pa.table(
        {
            name: pc.fill_null(column, "") if name.startswith(EXTRA) else column
            for name, column in table.items()
        }
    )


def _first_said(cells: Coded, owner: Int64[np.ndarray, " row"], studies: int) -> Any:
    """Return each study's first cell that says something, as a dictionary; null where none does."""
    there = np.flatnonzero(~cells.blank())[::-1]
    row = np.full(studies, -1)
    row[owner[there]] = there  # of several the last one written stays, which is the first row
    codes = pa.array(cells.codes[row], pa.int64(), mask=row < 0)
    return pa.DictionaryArray.from_arrays(codes, cells.texts)


def _per_video(
    rows: Rows, names: pa.LargeStringArray, owner: Int64[np.ndarray, " row"], studies: int
) -> dict[str, Any]:
    """Return the columns that hold a list a study."""
    there = np.flatnonzero(pc.not_equal(names, "").to_numpy(zero_copy_only=False))
    order = there[np.argsort(owner[there], kind="stable")]
    counts = np.bincount(owner[there], minlength=studies)
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]))
    in_order = len(order) == len(names) and bool((np.diff(order) == 1).all())
    columns = rows.columns

    def lists(values: Any) -> Any:
        return pa.LargeListArray.from_arrays(offsets, values)

    found = {"videos": lists(names if in_order else names.take(pa.array(order)))}
    kinds = {"views": pa.large_string(), **dict.fromkeys(ANGLES, pa.float64())}
    found |= {name: pa.nulls(studies, pa.large_list(kind)) for name, kind in kinds.items()}
    if columns.view is not None:
        found["views"] = lists(rows.view.texts.take(pa.array(rows.view.codes[order])))
    if columns.primary_angle is not None and columns.secondary_angle is not None:
        for name, cells in rows.angles.items():
            degrees = _numbers(rows, cells, getattr(columns, name), least=-360.0)
            found[name] = lists(pa.array(degrees[order], from_pandas=True))
    return found


def _numbers(
    rows: Rows, cells: Coded, column: str | None, *, least: float
) -> Float64[np.ndarray, " row"]:
    """Return the number of every row, NaN where there is none."""
    texts = cells.texts.to_pylist()
    values = np.array([_number(text) for text in texts])
    wrong = ~(np.isfinite(values) & (values >= least)) & np.array([text != "" for text in texts])
    problem = f"expected a number >= {least:g}, or nothing"
    rows.refuse_first(wrong[cells.codes], column, problem)
    return values[cells.codes]


def _number(text: str) -> float:
    """Return what a cell says as a number, NaN where it says none."""
    try:
        return float(text)
    except ValueError:
        return np.nan


def _mean(
    values: Float64[np.ndarray, " row"], owner: Int64[np.ndarray, " row"], studies: int
) -> Float64[np.ndarray, " study"]:
    """Return the mean of each study's numbers, NaN where it has none."""
    there = np.isfinite(values)
    if not there.any():
        return np.full(studies, np.nan)
    sums = np.bincount(owner[there], values[there], minlength=studies)
    counts = np.bincount(owner[there], minlength=studies)
    return np.divide(sums, counts, out=np.full(studies, np.nan), where=counts > 0)
