"""W&B's export of the table of runs: one row a run, its config and its last values."""

from pathlib import Path

import pandas as pd

from cinelex.core.errors import UserError
from cinelex.doctor.logs.metric import Log, RunRow

_MARKS = frozenset({"State", "Runtime", "Created", "Sweep", "ID", "Tags", "Notes", "User"})
_PRIVATE = frozenset({"ID", "User", "Notes", "Tags", "State", "Created", "End Time", "Sweep"})


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
