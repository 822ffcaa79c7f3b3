"""How much of the scores each swept key explains, beside what it would explain of shuffled ones."""

import random
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.trial import create_trial
from pydantic import JsonValue

from cinelex.sweeps.distributions import Choice, Distribution
from cinelex.sweeps.outcomes import Outcome
from cinelex.sweeps.plan import Metric

TREES = 24
SHUFFLES = 19
"""A share above all of 19 is one that noise reaches in one of 20 cases."""
MIN_TRIALS = 6
"""Below this number of complete configurations nothing is computed."""


@dataclass(frozen=True)
class Importance:
    """Share of the variance of the scores that one key explains."""

    key: str
    share: float
    """From 0 to 1; the shares of all keys sum to 1."""
    null: float
    """Greatest share that the key reaches when the scores are shuffled 19 times."""

    @property
    def significant(self) -> bool:
        """Return whether the key explains more than of any shuffled scores, which is p = 0.05."""
        return self.share > self.null


def importances(
    search: Sequence[Outcome], parameters: Mapping[str, Distribution], metric: Metric
) -> list[Importance]:
    """Return the importance of each key for an objective, greatest first.

    Empty with fewer than six complete configurations, or where all scored the same. The shares of
    any scores sum to 1, those of pure noise too: the null is what says whether there is anything.

    Source: Hutter, Hoos and Leyton-Brown 2014, "An efficient approach for assessing hyperparameter
        importance" (functional ANOVA); the null is a permutation of the scores.
    """
    complete = [one for one in search if one.state == "complete"]
    scores = [one.score(metric) for one in complete]
    if len(complete) < MIN_TRIALS or len(set(scores)) < 2:
        return []
    axes = {key: _axis(parameter) for key, parameter in parameters.items()}
    points = [
        {key: _within(one.values[key], parameter) for key, parameter in parameters.items()}
        for one in complete
    ]
    measured = _shares(points, axes, scores)
    shuffled: dict[str, list[float]] = {key: [] for key in measured}
    order = random.Random(0)  # noqa: S311  no secret
    for _ in range(SHUFFLES):
        mixed = order.sample(scores, len(scores))
        for key, share in _shares(points, axes, mixed).items():
            shuffled[key].append(share)
    return [
        Importance(key, float(share), float(max(shuffled[key]))) for key, share in measured.items()
    ]


def _axis(parameter: Distribution) -> BaseDistribution:
    """Return the positions along an axis; those of a choice have no order."""
    if isinstance(parameter, Choice):
        return CategoricalDistribution(
            sorted({_within(one, parameter) for one in parameter.values})
        )
    return FloatDistribution(0.0, 1.0)


def _within(value: JsonValue, parameter: Distribution) -> float:
    return min(max(parameter.position(value) or 0.0, 0.0), 1.0)


def _shares(
    points: Sequence[Mapping[str, float]],
    axes: Mapping[str, BaseDistribution],
    scores: Sequence[float],
) -> Mapping[str, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        study = optuna.create_study()
        study.add_trials(
            create_trial(params=dict(point), distributions=dict(axes), value=score)
            for point, score in zip(points, scores, strict=True)
        )
        evaluator = FanovaImportanceEvaluator(n_trees=TREES, max_depth=16, seed=0)
        return get_param_importances(study, evaluator=evaluator)
