"""Exports as they are distributed; what each must become stands beside it, checked by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinelex.core.errors import UserError
from cinelex.doctor.logs.metric import Log
from cinelex.doctor.logs.read import read_logs

EXPORTS = Path(__file__).parent / "exports"
VARIANTS = sorted(path for path in EXPORTS.iterdir() if path.suffix != ".json")


def _list(column: np.ndarray | None) -> list[float] | None:
    return None if column is None else column.tolist()


def _as_json(log: Log) -> dict[str, Any]:
    return {
        "metrics": [
            {
                "run": metric.run,
                "name": metric.name,
                "steps": _list(metric.steps),
                "values": _list(metric.values),
                "low": _list(metric.low),
                "high": _list(metric.high),
                "broken": metric.broken,
            }
            for metric in log.metrics
        ],
        "runs": [{"run": run.run, "numbers": dict(run.numbers)} for run in log.runs],
        "notes": list(log.notes),
    }


@pytest.mark.parametrize("path", VARIANTS, ids=lambda path: path.name)
def test_every_kind_of_export_is_read_as_it_is(path: Path) -> None:
    expected = json.loads((EXPORTS / f"{path.name}.json").read_text())
    assert _as_json(read_logs([path])) == expected


def test_there_is_an_export_of_every_kind() -> None:
    assert len(VARIANTS) == 7
    assert len(list(EXPORTS.glob("*.json"))) == 7


def test_one_run_spread_over_files_becomes_one_run(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('"Step","r - loss"\n0,2\n1,1\n')
    (tmp_path / "b.csv").write_text('"Step","r - lr","r - loss"\n0,0.1,2\n')
    log = read_logs([tmp_path])
    assert log.run_names == ["r"]
    assert {name: len(m.values) for name, m in log.of_run("r").items()} == {"loss": 2, "lr": 1}
    assert "the longer one was used" in log.notes[0]


def test_a_later_row_at_the_same_step_counts_and_steps_may_come_unsorted(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('\ufeff"Step","r - loss"\n5,2\n1,9\n5,3\n')
    metric = read_logs([tmp_path / "a.csv"]).metrics[0]
    assert metric.steps.tolist() == [1, 5]
    assert metric.values.tolist() == [9, 3]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.csv", None, "no such file"),
        ("empty.csv", "", "not a CSV"),
        ("header.csv", '"Step","r - loss"\n', "has a header and no row"),
        ("words.csv", '"Step","r - loss"\na,b\n', "column 'Step' holds no number"),
        ("blank.csv", '"Step","r - loss"\n1,\n', "no column but 'Step' holds numbers"),
        ("no_step.csv", "x,y\n1,2\n", "no column holds steps"),
        ("twice.csv", "Name,State,loss\na,ok,1\na,ok,2\n", "two runs are called 'a'"),
        ("comma.csv", "step,loss,acc\n1,0.5,0.3,\n2,0.4,0.4,\n", "more fields than its header"),
        ("longer.csv", "step,loss\n1,0.5\n2,0.4,7\n", "not a CSV"),
        ("run.jsonl", '{"step": 1}\n', 'no line holds a number beside a "step"'),
        ("half.jsonl", '{"st\n{"step": 1, "a": 2}\n', "line 1 is not JSON"),
        ("list.jsonl", '[1]\n{"step": 1, "a": 2}\n', "line 1 is not JSON, or no object"),
        ("events.out.tfevents.1", "nonsense", "not a TensorBoard event file"),
        ("notes.txt", "loss 3", "unknown kind of log"),
    ],
)
def test_what_cannot_be_read_is_named_in_one_line(
    tmp_path: Path, name: str, content: str | None, message: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=message) as problem:
        read_logs([path])
    assert name in str(problem.value)
    assert "\n" not in str(problem.value)


def test_a_folder_with_nothing_in_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no metrics\.jsonl"):
        read_logs([tmp_path])
