"""From files as they were exported to one log."""

from collections.abc import Sequence
from pathlib import Path

from cinelex.core.errors import UserError
from cinelex.doctor.logs.csv_export import (
    is_runs_table,
    read_csv_export,
    read_csv_table,
    read_runs_table,
)
from cinelex.doctor.logs.metric import Log, merge
from cinelex.doctor.logs.records import read_record
from cinelex.doctor.logs.tensorboard_events import is_event_file, read_event_file
from cinelex.doctor.logs.trackers import (
    is_database,
    is_mlflow_run,
    mlflow_runs,
    read_database,
    read_mlflow_run,
)


def read_logs(paths: Sequence[Path]) -> Log:
    """Return what all files say; a folder stands for its record or its event files.

    Raises:
        UserError: A file is missing, of no known kind, or broken; the message says where.
    """
    return merge([_read(file) for path in paths for file in _files(path)])


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    record = path / "metrics.jsonl"
    if record.exists():
        return [record]
    found = sorted(file for file in path.rglob("*") if file.is_file() and is_event_file(file))
    found += sorted(path.glob("*.csv"))
    found += [*mlflow_runs(path), *sorted(file for file in path.glob("*.db") if is_database(file))]
    if not found:
        raise UserError(
            f"{path}: holds no metrics.jsonl, event file, CSV, run of MLflow or trackio database"
        )
    return found


def _read(path: Path) -> Log:
    if is_event_file(path):
        return read_event_file(path)
    if is_mlflow_run(path):
        return read_mlflow_run(path)
    if is_database(path):
        return read_database(path)
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return read_record(path)
    if path.suffix.lower() != ".csv":
        raise UserError(
            f"{path}: unknown kind of log; expected .csv, .jsonl, an event file of "
            "TensorBoard, or what MLflow or trackio keep"
        )
    table = read_csv_table(path)
    return read_runs_table(path, table) if is_runs_table(table) else read_csv_export(path, table)
