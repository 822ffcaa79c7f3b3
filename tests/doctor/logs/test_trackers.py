"""SQLite files as MLflow and trackio write them."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cinelex.core.errors import UserError
from cinelex.doctor.logs.read import read_logs


def _database(path: Path, *statements: tuple[str, list[tuple[object, ...]]]) -> Path:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement, rows in statements:
            connection.executemany(statement, rows or [()])
    return path


def test_mlflows_database_is_read_run_by_run(tmp_path: Path) -> None:
    path = _database(
        tmp_path / "mlflow.db",
        ("create table runs (run_uuid text, name text)", []),
        (
            "create table metrics (key text, value real, timestamp integer, run_uuid text, "
            "step integer, is_nan boolean)",
            [],
        ),
        ("insert into runs values (?, ?)", [("a", "first"), ("b", "")]),
        (
            "insert into metrics values (?, ?, ?, ?, ?, ?)",
            [("loss", 2.0, 1, "a", 1, 0), ("loss", 0.0, 2, "a", 2, 1), ("loss", 3.0, 3, "b", 1, 0)],
        ),
    )
    log = read_logs([path])
    assert log.run_names == ["first", "b"]
    loss = log.of_run("first")["loss"]
    assert (loss.values.tolist(), loss.broken) == ([2.0], 1)


def test_trackios_database_is_read_and_its_words_for_no_number_too(tmp_path: Path) -> None:
    rows = [{"loss": 2.0, "note": "text"}, {"loss": "NaN"}, {"loss": 1.0, "lr": 0.1}]
    path = _database(
        tmp_path / "project.db",
        (
            "create table metrics (id integer primary key, timestamp text, run_name text, "
            "step integer, metrics text)",
            [],
        ),
        (
            "insert into metrics (timestamp, run_name, step, metrics) values (?, ?, ?, ?)",
            [("", "tiny", step, json.dumps(row)) for step, row in enumerate(rows)],
        ),
    )
    log = read_logs([tmp_path])
    assert log.run_names == ["tiny"], path
    assert log.of_run("tiny").keys() == {"loss", "lr"}
    assert log.of_run("tiny")["loss"].steps.tolist() == [0, 2]


def test_another_database_is_refused(tmp_path: Path) -> None:
    path = _database(tmp_path / "other.db", ("create table people (name text)", []))
    with pytest.raises(UserError, match="no table that MLflow or trackio writes"):
        read_logs([path])
