"""Logs of MLflow (its folders and its SQLite file) and of trackio (SQLite)."""

import json
import math
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import yaml

from cinelex.core.errors import UserError
from cinelex.doctor.logs.metric import Log, make_metrics, merge

Points = dict[str, list[tuple[float, float]]]
MAGIC = b"SQLite format 3\0"


def is_database(path: Path) -> bool:
    """Whether a file is an SQLite database, whatever its name."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(len(MAGIC)) == MAGIC


def is_mlflow_run(path: Path) -> bool:
    """Whether a folder is one run of MLflow's file store."""
    return (path / "meta.yaml").is_file() and (path / "metrics").is_dir()


def mlflow_runs(path: Path) -> list[Path]:
    """Return the folders of all runs below a folder, which may be one itself."""
    folders = [path, *(meta.parent for meta in path.rglob("meta.yaml"))]
    return sorted({folder for folder in folders if is_mlflow_run(folder)})


def read_mlflow_run(path: Path) -> Log:
    """Return a run of MLflow's file store; a metric's file has a time, a value and a step a line.

    Raises:
        UserError: A line is something else, or no metric was logged.
    """
    about = yaml.safe_load((path / "meta.yaml").read_text(encoding="utf-8"))
    name = str(about.get("run_name") or path.name) if isinstance(about, dict) else path.name
    columns: Points = {}
    for file in sorted((path / "metrics").rglob("*")):
        if not file.is_file():
            continue
        key = file.relative_to(path / "metrics").as_posix()
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            try:
                _, value, step = line.split()[:3]
                columns.setdefault(key, []).append((float(step), float(value)))
            except ValueError:
                raise UserError(f"{file}: line {number} is no time, value and step") from None
    return _log(path, {name: columns})


def read_database(path: Path) -> Log:
    """Return every run of an SQLite file of MLflow or trackio.

    Raises:
        UserError: It is damaged, or holds no table that either of them writes.
    """
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            rows = connection.execute("select name from pragma_table_info('metrics')")
            columns = {name for (name,) in rows}
            if {"run_uuid", "key", "value", "step"} <= columns:
                return _mlflow(path, connection)
            if {"run_name", "step", "metrics"} <= columns:
                return _trackio(path, connection)
    except sqlite3.DatabaseError as problem:
        raise UserError(f"{path}: a damaged SQLite file ({type(problem).__name__})") from None
    raise UserError(f"{path}: no table that MLflow or trackio writes; export the runs as CSV")


def _mlflow(path: Path, connection: sqlite3.Connection) -> Log:
    """Return what MLflow's tables hold; a value that was not a number is 0 with a mark beside."""
    query = (
        "select coalesce(nullif(runs.name, ''), runs.run_uuid), key, step, value, is_nan "
        "from metrics join runs using (run_uuid) order by timestamp"
    )
    runs: dict[str, Points] = {}
    for run, key, step, value, broken in connection.execute(query):
        number = math.nan if broken else float(value)
        runs.setdefault(run, {}).setdefault(key, []).append((float(step), number))
    return _log(path, runs)


def _trackio(path: Path, connection: sqlite3.Connection) -> Log:
    runs: dict[str, Points] = {}
    query = "select run_name, step, metrics from metrics order by id"
    for run, step, content in connection.execute(query):
        for key, value in _numbers(path, content):
            runs.setdefault(run, {}).setdefault(key, []).append((float(step), value))
    return _log(path, runs)


def _numbers(path: Path, content: str | bytes) -> Iterable[tuple[str, float]]:
    try:
        found = json.loads(content)
    except ValueError:
        raise UserError(f"{path}: a row of table metrics holds no JSON") from None
    words = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
    for key, value in found.items() if isinstance(found, dict) else ():
        number = words.get(value, value) if isinstance(value, str) else value
        if isinstance(number, int | float) and not isinstance(number, bool):
            yield key, float(number)


def _log(path: Path, runs: dict[str, Points]) -> Log:
    logs = [Log(make_metrics(run, columns, source=path.name)) for run, columns in runs.items()]
    if not any(log.metrics for log in logs):
        raise UserError(f"{path}: holds no metric")
    return merge(logs)
