"""CSV files: W&B's exports of charts and of the table of runs, and any logger's plain table."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cinelex.core.errors import UserError
from cinelex.doctor.logs.metric import Log, Metric, RunRow, make_metric
from cinelex.metrics.series import Points

STEP_NAMES = ("step", "_step", "global_step", "trainer/global_step", "iteration", "epoch")
"""First choice first, in lower case."""
_CLOCKS = frozenset({"_runtime", "_timestamp", "relative time (process)", "wall time", "time"})
_SEPARATOR = " - "
_MARKS = frozenset({"State", "Runtime", "Created", "Sweep", "ID", "Tags", "Notes", "User"})
_PRIVATE = frozenset({"ID", "User", "Notes", "Tags", "State", "Created", "End Time", "Sweep"})
_BOUNDS = {"low": "__MIN", "high": "__MAX"}


def read_csv_table(path: Path) -> pd.DataFrame:
    """Return a CSV's cells as text, blanks as empty text.

    Raises:
        UserError: The file is missing, is no CSV, or has no data row.
    """
    try:
        with warnings.catch_warnings():
            # of a row that is too long pandas would drop the end, and only warn of it
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                path, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False
            )
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except pd.errors.ParserWarning:
        raise UserError(
            f"{path}: its rows have more fields than its header; name every column, or take out "
            "commas at the ends of lines"
        ) from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as problem:
        what = str(problem).strip().splitlines()[0]
        raise UserError(f"{path}: not a CSV in UTF-8 ({what}); export it again") from None
    if table.empty:
        raise UserError(f"{path}: has a header and no row; export a chart that shows points")
    return table


def step_column(columns: Sequence[str]) -> str | None:
    """Return the column that holds the steps.

    A W&B chart has its horizontal axis first, whatever it is called, and no `` - `` in it.
    """
    exported = any(_SEPARATOR in column for column in columns)
    if exported and _SEPARATOR not in columns[0]:
        return columns[0]
    lowered = {column.lower(): column for column in reversed(columns)}
    return next((lowered[name] for name in STEP_NAMES if name in lowered), None)


def read_csv_export(path: Path, table: pd.DataFrame) -> Log:
    """Return the metrics of a CSV that has a step column.

    ``"<run> - <metric>"`` belongs to that run; a column without `` - `` belongs to a run with the
    file's name. Blank cells were not logged at that step; ``NaN`` and ``Infinity`` are counted.

    Raises:
        UserError: There is no step column, or no column holds numbers.
    """
    columns = [str(column) for column in table.columns]
    axis = step_column(columns)
    if axis is None:
        raise UserError(
            f"{path}: no column holds steps; expected one of {', '.join(STEP_NAMES)}, or a W&B "
            "chart export whose first column is its horizontal axis"
        )
    steps = _numbers(table[axis])
    if not np.isfinite(steps).any():
        raise UserError(f"{path}: column {axis!r} holds no number; export the chart over Step")
    known_runs = {column.removesuffix(" - _step") for column in columns if " - _step" in column}
    metrics, notes = [], []
    for column in columns:
        if column == axis or column.endswith(tuple(_BOUNDS.values())) or _is_axis(column):
            continue
        metric = _read_column(path, table, column, steps, known_runs)
        if metric is None:
            notes.append(f"{path.name}: column {column!r} holds no number and was left out.")
            continue
        metrics.append(metric)
        notes += _ambiguity(column, metric, known_runs)
    if not metrics:
        raise UserError(f"{path}: no column but {axis!r} holds numbers")
    if axis.lower() not in STEP_NAMES:
        notes.append(f"{path.name}: the horizontal axis is {axis!r}, not the step.")
    return Log(tuple(metrics), notes=tuple(notes))


def _read_column(
    path: Path, table: pd.DataFrame, column: str, steps: Points, known_runs: set[str]
) -> Metric | None:
    run, name = _split(column, known_runs)
    blank = (table[column].str.strip() == "").to_numpy()
    bounds = {
        side: _numbers(table[column + suffix])
        for side, suffix in _BOUNDS.items()
        if column + suffix in table.columns
    }
    return make_metric(
        run or path.stem,
        name,
        np.where(blank, np.nan, steps),
        _numbers(table[column]),
        source=path.name,
        **bounds,
    )


def _split(column: str, known_runs: set[str]) -> tuple[str, str]:
    """Return run and metric; names of runs may hold the separator, so the last one counts."""
    for run in sorted(known_runs, key=len, reverse=True):
        if column.startswith(run + _SEPARATOR):
            return run, column.removeprefix(run + _SEPARATOR)
    run, _, name = column.rpartition(_SEPARATOR)
    return run, name


def _ambiguity(column: str, metric: Metric, known_runs: set[str]) -> list[str]:
    if column.count(_SEPARATOR) < 2 or metric.run in known_runs:
        return []
    return [f"The run is taken to be called {metric.run!r}: columns were split at the last ' - '."]


def _is_axis(column: str) -> bool:
    name = column.rpartition(_SEPARATOR)[2].lower()
    return name in _CLOCKS or name in STEP_NAMES


def _numbers(cells: pd.Series) -> Points:
    """Return numbers; blanks and words become NaN."""
    return np.asarray(pd.to_numeric(cells, errors="coerce"), dtype=np.float64)


def is_runs_table(table: pd.DataFrame) -> bool:
    """Whether a CSV has a row for each run."""
    return "Name" in table.columns and not _MARKS.isdisjoint(table.columns)


def read_runs_table(path: Path, table: pd.DataFrame) -> Log:
    """Return each run's numbers; cells that are blank, NaN or words are left out.

    Raises:
        UserError: Two runs have one name and nothing tells them apart, or no cell is a number.
    """
    names = table["Name"]
    if names.duplicated().any() and "ID" in table.columns:
        names = names + " (" + table["ID"] + ")"
    if names.duplicated().any():
        twice = names[names.duplicated()].iloc[0]
        raise UserError(f"{path}: two runs are called {twice!r}; export the column ID as well")
    columns = [c for c in table.columns if c != "Name" and c not in _PRIVATE]
    numbers = table[columns].apply(pd.to_numeric, errors="coerce")
    numbers = numbers.where(numbers.abs() < float("inf"))
    if numbers.isna().all(axis=None):
        raise UserError(f"{path}: no cell of this runs table is a number; export metrics with it")
    rows = [
        RunRow(str(name), {str(k): float(v) for k, v in row.dropna().items()})
        for name, (_, row) in zip(names, numbers.iterrows(), strict=True)
    ]
    note = f"{path.name} is a table of runs: last values only, so nothing over time can be tested."
    return Log(runs=tuple(rows), notes=(note,))
