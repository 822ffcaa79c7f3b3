"""What a configuration is judged by, from what its runs left behind."""

import json
from pathlib import Path
from typing import Any

import pytest

from cinelex.core.errors import UserError
from cinelex.projects.interface.results import Group, Null, Results, Score
from cinelex.sweeps.outcomes import judged, names_of
from cinelex.sweeps.plan import Metric
from cinelex.sweeps.settings import Sweep, Task
from tests.sweeps.quick_run import OBJECTIVE
from tests.sweeps.quick_sweep import quick_sweep

TASK = Task("search-000-seed0", {}, seed=0)


def leave(sweep: Sweep, name: str, content: str) -> None:
    path = sweep.trials / TASK.name / name
    path.parent.mkdir(parents=True)
    path.write_text(content)


def results(**scores: Any) -> Results:
    told = {"label": "Recall", **scores}
    name = OBJECTIVE.replace("/", ".")
    return Results(groups=[Group(title="", note="", scores=[Score(name=name, **told)])])


def found_in(sweep: Sweep) -> Score:
    _, found = judged(sweep, [TASK])
    return Score.from_json(OBJECTIVE, found["scores"][OBJECTIVE])


def numbers(score: Score) -> tuple[float | None, ...]:
    return score.value, score.low, score.high, score.nulls["null"].value


def test_a_score_comes_with_its_interval_and_its_null(tmp_path: Path) -> None:
    found = results(value=0.5, low=0.4, high=0.6, nulls={"chance": Null(value=0.01)})
    sweep = quick_sweep(tmp_path)
    leave(sweep, "results.json", json.dumps(found.as_json()))
    assert numbers(found_in(sweep)) == (0.5, 0.4, 0.6, 0.01)
    assert names_of(found) == [OBJECTIVE]


@pytest.mark.parametrize(("better", "null"), [("higher", 0.3), ("lower", 0.1)])
def test_of_several_nulls_the_best_counts(tmp_path: Path, better: Any, null: float) -> None:
    nulls = {"mean": Null(value=0.1), "nearest": Null(value=0.3), "none": Null(value=None)}
    sweep = quick_sweep(tmp_path)
    found = results(value=0.5, nulls=nulls, better=better)
    leave(sweep, "results.json", json.dumps(found.as_json()))
    assert found_in(sweep).nulls["null"].value == null


def test_where_results_are_of_test_samples_the_last_validation_counts(tmp_path: Path) -> None:
    sweep = quick_sweep(tmp_path, validation_results=False)
    rows = [
        {"kind": "validation", "step": step, OBJECTIVE: step / 10, f"{OBJECTIVE}/chance": 0.01}
        for step in (1, 2)
    ]
    leave(sweep, "metrics.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    assert numbers(found_in(sweep)) == (0.2, None, None, 0.01)


def test_a_score_that_is_missing_or_undefined_is_said(tmp_path: Path) -> None:
    sweep = quick_sweep(tmp_path)
    leave(sweep, "results.json", json.dumps(results(value=None).as_json()))
    with pytest.raises(UserError, match="is undefined"):
        judged(sweep, [TASK])
    other = quick_sweep(tmp_path, metrics=[Metric(name=OBJECTIVE.replace("at_1", "at_2"))])
    with pytest.raises(UserError, match=f"did you mean {OBJECTIVE}"):
        judged(other, [TASK])
