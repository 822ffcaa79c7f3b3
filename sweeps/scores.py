"""What a sweep looks for, and what finished runs are judged by."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from cinelex.config.nearest import nearest
from cinelex.core.errors import UserError
from cinelex.core.files import read_json
from cinelex.metrics.seeds import student_interval
from cinelex.projects.interface.results import Results, Score, nulls_of
from cinelex.runners.record import validations
from cinelex.sweeps.plan import Metric
from cinelex.sweeps.settings import Sweep, Task


def plain_name(name: str) -> str:
    """Return the name of an objective without the ``val/`` that many logs put before it."""
    return name.removeprefix("val/").removeprefix("validation/")


def refuse_unknown(metric: Metric, names: Sequence[str]) -> None:
    """Refuse an objective that no run leaves behind.

    Raises:
        UserError: ``names`` does not hold it; the message has the nearest that it does hold.
    """
    name = plain_name(metric.name)
    if name not in names:
        near = nearest(name, names)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(names)}"
        raise UserError(f"metric {metric.name}: no such number; {hint}")


def names_of(results: Results) -> list[str]:
    """Return the name of every score that a sweep can look for."""
    return [score.name.replace(".", "/") for score in results.scores()]


@dataclass(frozen=True)
class Mean:
    """An objective over the runs of a configuration."""

    value: float
    low: float | None = None
    """Lower end of the 95 % interval: over seeds, or of a single run over held-out items."""
    high: float | None = None
    null: float | None = None
    """Chance, or the best of the baselines that look at nothing; None where neither is known."""


def means(sweep: Sweep, tasks: Sequence[Task]) -> dict[str, Mean]:
    """Return each objective over the finished runs of a configuration.

    Raises:
        UserError: A run does not have it.
    """
    return {
        metric.name: _mean([_score(sweep, task, metric) for task in tasks])
        for metric in sweep.settings.metrics
    }


def _mean(scores: Sequence[Score]) -> Mean:
    """Return the mean over seeds, with its Student interval; a single one keeps its own."""
    values = [score.value for score in scores if score.value is not None]
    nulls = [null for score in scores if (null := _null(score)) is not None]
    own = (scores[0].low, scores[0].high)
    low, high = own if len(values) == 1 else student_interval(values)
    return Mean(statistics.fmean(values), low, high, statistics.fmean(nulls) if nulls else None)


def _score(sweep: Sweep, task: Task, metric: Metric) -> Score:
    """Return what a run is judged by: before the last comparison, validation studies only."""
    folder, plain = sweep.trials / task.name, plain_name(metric.name)
    if task.on_test or sweep.settings.validation_results:
        results = Results.from_json(read_json(folder / "results.json"))
        refuse_unknown(metric, names_of(results))
        score = next(one for one in results.scores() if one.name == plain.replace("/", "."))
    else:
        row = (validations(folder / "metrics.jsonl") or [{}])[-1]
        refuse_unknown(metric, list(row))
        nulls = nulls_of({"chance": row.get(f"{plain}/chance")})
        score = Score(name=plain, label=plain, value=row[plain], nulls=nulls)
    if score.value is None:
        raise UserError(f"metric {metric.name} is undefined in the results of {task.name}")
    return score


def _null(score: Score) -> float | None:
    values = {name: null.value for name, null in score.nulls.items() if null.value is not None}
    best = min if score.better == "lower" else max
    return values.get("chance", best(values.values(), default=None))
