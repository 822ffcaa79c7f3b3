"""Reading a record while it grows, is cut short, and grows again."""

import json
from pathlib import Path

from cinelex.runners.record import validations


def rows(*steps: int) -> str:
    lines = [{"kind": "validation", "step": step} for step in steps]
    return "".join(json.dumps(line) + "\n" for line in lines)


def steps(folder: Path) -> list[int]:
    return [row["step"] for row in validations(folder / "metrics.jsonl")]


def test_validations_are_read_in_order_each_step_once(tmp_path: Path) -> None:
    assert steps(tmp_path) == []
    (tmp_path / "metrics.jsonl").write_text(rows(1, 2) + '{"kind": "step"}\n' + rows(2, 3))
    assert steps(tmp_path) == [1, 2, 3]


def test_a_line_is_read_once_it_is_whole(tmp_path: Path) -> None:
    record = tmp_path / "metrics.jsonl"
    record.write_text(rows(1) + rows(2)[:-2])
    assert steps(tmp_path) == [1]
    record.write_text(rows(1, 2))
    assert steps(tmp_path) == [1, 2]
