"""The record as a table: no value ever stands under another's name."""

import csv
import json
from pathlib import Path

from cinelex.runners.csv_log import write_csv_log


def test_a_field_that_comes_late_gets_a_column_and_moves_nothing(tmp_path: Path) -> None:
    records = [
        {"kind": "step", "step": 1, "loss": 2.5},
        {"kind": "validation", "step": 1, "recall": 0.25, "note, with comma": None},
        {"kind": "step", "step": 2, "weights/coverage": 0.2, "loss": 2.0},
    ]
    record = tmp_path / "metrics.jsonl"
    record.write_text("".join(json.dumps(row) + "\n" for row in records))
    path = write_csv_log(record)
    assert path == tmp_path / "metrics.csv"
    with path.open(newline="") as stream:
        table = list(csv.DictReader(stream))
    assert list(table[0]) == [
        *("kind", "step", "loss", "recall", "note, with comma", "weights/coverage"),
    ]
    for row, record_row in zip(table, records, strict=True):
        filled = {name: value for name, value in row.items() if value != ""}
        assert filled == {n: str(v) for n, v in record_row.items() if v is not None}
