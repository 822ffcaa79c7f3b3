"""Reading a record while it grows, is cut short, and grows again."""

import json
from pathlib import Path

import pytest

from cinelex.sweeps.training import Validations


def rows(*steps: int, note: str = "") -> str:
    lines = [{"kind": "validation", "step": step, "note": note} for step in steps]
    return "".join(json.dumps(line) + "\n" for line in lines)


@pytest.mark.parametrize("note", ["", "a longer line", "x" * 200])
def test_a_record_that_was_cut_and_has_grown_past_its_old_length_is_read_whole(
    tmp_path: Path, note: str
) -> None:
    record = tmp_path / "metrics.jsonl"
    reader = Validations(record)
    record.write_text(rows(1, 2, 3, 4))
    assert [row["step"] for row in reader.new()] == [1, 2, 3, 4]
    record.write_text(rows(1, 2) + rows(3, 4, 5, 6, note=note))
    assert [row["step"] for row in reader.new()] == [5, 6]


def test_a_record_that_was_cut_to_nothing_is_read_from_its_begin(tmp_path: Path) -> None:
    record = tmp_path / "metrics.jsonl"
    reader = Validations(record)
    record.write_text(rows(1, 2))
    assert len(reader.new()) == 2
    record.write_text("")
    assert reader.new() == []
    record.write_text(rows(1))
    assert reader.new() == []
    record.write_text(rows(1, 2, 3))
    assert [row["step"] for row in reader.new()] == [3]


def test_a_line_is_read_once_it_is_whole(tmp_path: Path) -> None:
    record = tmp_path / "metrics.jsonl"
    reader = Validations(record)
    record.write_text(rows(1) + rows(2)[:9])
    assert [row["step"] for row in reader.new()] == [1]
    record.write_text(rows(1, 2))
    assert [row["step"] for row in reader.new()] == [2]
