"""A line a step, and none twice."""

import json
from contextlib import closing
from pathlib import Path

from cinelex.runners.record import Record


def test_what_a_killed_run_wrote_after_its_checkpoint_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    with closing(Record(path, keep_bytes=0)) as first:
        first.write("step", {"step": 1})
        at_checkpoint = first.position()
        first.write("step", {"step": 2})
    with path.open("a") as stream:
        stream.write('{"kind": "step", "st')
    with closing(Record(path, keep_bytes=at_checkpoint)) as second:
        second.write("step", {"step": 2})
        assert second.position() == path.stat().st_size
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [1, 2]


def test_a_run_that_starts_over_starts_an_empty_record(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"kind": "step", "step": 1}\n')
    with closing(Record(path, keep_bytes=0)) as record:
        assert record.position() == 0
    assert path.read_text() == ""


def test_numbers_that_are_not_finite_are_null(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    numbers = {"a": float("nan"), "b": float("inf"), "c": -float("inf"), "d": 1.5, "e": None}
    with closing(Record(path, keep_bytes=0)) as record:
        record.write("step", numbers)
    expected = {"kind": "step", "a": None, "b": None, "c": None, "d": 1.5, "e": None}
    assert json.loads(path.read_text()) == expected


def test_lines_are_there_before_the_record_is_closed(tmp_path: Path) -> None:
    with closing(Record(tmp_path / "run" / "metrics.jsonl", keep_bytes=0)) as record:
        record.write("step", {"step": 1})
        record.write("validation", {"step": 1})
        kinds = [json.loads(line)["kind"] for line in record.path.read_text().splitlines()]
    assert kinds == ["step", "validation"]
