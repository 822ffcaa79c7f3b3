"""What a finished run is judged by, and the mean of that over the seeds of a configuration."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from cinelex.core.errors import UserError
from cinelex.core.files import read_json
from cinelex.sweeps.objectives import Score, find_score, nested
from cinelex.sweeps.settings import Sweep
from cinelex.sweeps.task import Task
from cinelex.sweeps.training import TrialError, Validations
from cinelex.sweeps.verdict import student_interval


def measured(sweep: Sweep, task: Task) -> Mapping[str, Any]:
    """Return what a finished run may be judged by: before the end, validation studies only."""
    folder = sweep.trials / task.name
    if task.on_test or sweep.settings.validation_results:
        results: Mapping[str, Any] = read_json(folder / "results.json")
        return results
    rows = Validations(folder / "metrics.jsonl").new()
    return nested(rows[-1]) if rows else {}


def mean_scores(sweep: Sweep, results: Sequence[Mapping[str, Any]]) -> dict[str, Score]:
    """Return the mean of each objective over the seeds.

    Raises:
        TrialError: The results do not have it.
    """
    try:
        return {
            metric.name: mean_score([find_score(one, metric.name) for one in results])
            for metric in sweep.settings.metrics
        }
    except UserError as error:
        raise TrialError(str(error)) from None


def mean_score(scores: Sequence[Score]) -> Score:
    """Return the mean over seeds, with its Student interval; a single one keeps its own."""
    if len(scores) == 1:
        return scores[0]
    values = [score.value for score in scores]
    low, high = student_interval(values)
    nulls = [score.null for score in scores if score.null is not None]
    null = statistics.fmean(nulls) if nulls else None
    return Score(statistics.fmean(values), low, high, null)
