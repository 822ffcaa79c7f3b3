"""What a sweep may look for, what it must not depend on, and what finished runs are judged by."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import stdtrit

from cinelex.config.nearest import nearest
from cinelex.core.errors import UserError
from cinelex.core.files import read_json
from cinelex.core.names import covered
from cinelex.doctor.finding import render
from cinelex.doctor.rules.rule import Measured
from cinelex.doctor.rules.swept_keys import DEPENDENT_OBJECTIVE
from cinelex.projects import PROJECTS
from cinelex.projects.interface.results import Results, Score, nulls_of
from cinelex.sweeps.plan import Metric
from cinelex.sweeps.settings import Sweep
from cinelex.sweeps.task import Task
from cinelex.sweeps.training import validations

TOTALS = ("loss", "total", "total_loss", "weighted_sum")
"""Last words of the names that weighted sums go by."""


def plain_name(name: str) -> str:
    """Return the name of an objective without the ``val/`` that many logs put before it."""
    return name.removeprefix("val/").removeprefix("validation/")


def refuse_dependent(metric: Metric, swept: Sequence[str], project: str) -> None:
    """Refuse an objective that a swept key changes without any learning, as rule D1 does.

    Raises:
        UserError: The metric is a weighted sum and a weight is swept, or a loss whose unit a swept
            key changes.
    """
    term = _term(metric.name)
    if term is None:
        return
    terms = PROJECTS[project].terms
    weights = {one.weight_section for one in terms.values() if one.weight_section}
    units = {key for one in terms.values() for key in one.unit_keys}
    guilty = {*terms[term].unit_keys} if term in terms else units
    reason = f"it changes the unit of the {term} loss, so the values are not comparable"
    if term in TOTALS:
        guilty = units | weights
    for key in swept:
        if covered(key, guilty):
            if covered(key, weights):
                reason = "the smallest weights would win, whatever is learned"
            named = {"metric": metric.name, "key": key, "reason": reason}
            raise UserError(render(DEPENDENT_OBJECTIVE.finding(Measured(1.0, 0.0, named))))


def _term(name: str) -> str | None:
    """Return the loss term that a metric is; None for what is no loss."""
    parts = plain_name(name).removesuffix("/value").split("/")
    if parts[-1] in TOTALS:
        return parts[-1]
    if parts[0] in ("loss", "losses") and len(parts) > 1:
        return parts[1]
    return parts[-1].removesuffix("_loss") if parts[-1].endswith("_loss") else None


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
        row = (validations(folder) or [{}])[-1]
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


def student_interval(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Return Student's 95 % interval of a mean; None for both ends with fewer than two values.

    Source: Student 1908, Biometrika 6(1).
    """
    if len(values) < 2:
        return None, None
    middle = statistics.fmean(values)
    error = statistics.stdev(values) / len(values) ** 0.5
    reach = error * float(stdtrit(len(values) - 1, 0.975))
    return middle - reach, middle + reach
