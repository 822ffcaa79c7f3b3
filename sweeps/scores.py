"""What finished runs are judged by."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import stdtrit

from cinelex.core.errors import UserError
from cinelex.core.files import read_json
from cinelex.projects.interface.results import Results, Score, nulls_of
from cinelex.sweeps.objectives import names_of, plain_name, refuse_unknown
from cinelex.sweeps.plan import Metric
from cinelex.sweeps.settings import Sweep
from cinelex.sweeps.task import Task
from cinelex.sweeps.training import validations


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
        metric.name: mean([_score(sweep, task, metric.name) for task in tasks])
        for metric in sweep.settings.metrics
    }


def mean(scores: Sequence[Score]) -> Mean:
    """Return the mean over seeds, with its Student interval; a single one keeps its own."""
    values = [score.value for score in scores if score.value is not None]
    nulls = [null for score in scores if (null := _null(score)) is not None]
    own = (scores[0].low, scores[0].high)
    low, high = own if len(values) == 1 else student_interval(values)
    return Mean(statistics.fmean(values), low, high, statistics.fmean(nulls) if nulls else None)


def _score(sweep: Sweep, task: Task, name: str) -> Score:
    """Return what a run is judged by: before the last comparison, validation studies only."""
    folder, plain = sweep.trials / task.name, plain_name(name)
    if task.on_test or sweep.settings.validation_results:
        results = Results.from_json(read_json(folder / "results.json"))
        refuse_unknown(Metric(name=name), names_of(results))
        score = next(one for one in results.scores() if one.name == plain.replace("/", "."))
    else:
        rows = validations(folder) or [{}]
        refuse_unknown(Metric(name=name), list(rows[-1]))
        nulls = nulls_of({"chance": rows[-1].get(f"{plain}/chance")})
        score = Score(name=plain, label=plain, value=rows[-1][plain], nulls=nulls)
    if score.value is None:
        raise UserError(f"metric {name} is undefined in the results of {task.name}")
    return score


def _null(score: Score) -> float | None:
    values = {name: null.value for name, null in score.nulls.items() if null.value is not None}
    best = min if score.better == "lower" else max
    return values.get("chance", best(values.values(), default=None))


def student_interval(
    values: Sequence[float], *, confidence: float = 0.95
) -> tuple[float | None, float | None]:
    """Return Student's interval of a mean; None for both ends with fewer than two values.

    Source: Student 1908, Biometrika 6(1).
    """
    if len(values) < 2:
        return None, None
    middle = statistics.fmean(values)
    error = statistics.stdev(values) / len(values) ** 0.5
    reach = error * float(stdtrit(len(values) - 1, (1 + confidence) / 2))
    return middle - reach, middle + reach
