"""Whether the winner is better than the default recipe, and which swept keys matter."""

import random
import statistics
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.trial import create_trial
from pydantic import JsonValue

from cinelex.projects.interface.results import Score
from cinelex.sweeps.distributions import Distribution
from cinelex.sweeps.outcomes import Outcome, complete, score_of
from cinelex.sweeps.plan import Metric

TREES = 24
SHUFFLES = 19
"""A share above all of 19 is one that noise reaches in one of 20 cases."""
MIN_TRIALS = 6
"""Below this number of complete configurations nothing is computed."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Winner and default recipe at the same new seeds, on studies that chose nothing."""

    seeds: Sequence[int]
    winner: Sequence[Outcome]
    """At each seed."""
    default: Sequence[Outcome]
    difference: Score
    """Mean over seeds of winner minus default, with the interval of the paired difference."""
    spread: float | None
    """Standard deviation of a run over seeds, pooled over both recipes; None with one seed."""

    @property
    def verdict(self) -> str:
        """Return in words whether the winner is better than the noise of seeds."""
        low, high = self.difference.low, self.difference.high
        if low is None or high is None:
            return "one seed: nobody can say whether that is noise"
        if low <= 0 <= high:
            return "inside the noise"
        better = (low > 0) == (self.difference.better == "higher")
        return "better beyond the noise of seeds" if better else "worse than the default recipe"


def compare(final: Sequence[Outcome], metric: Metric) -> Comparison | None:
    """Return winner minus default, paired by seed; None before any pair is complete.

    Seeds decide initial weights and the order of the data, so a pair shares both. The interval is
    over seeds: Student's, with one degree of freedom less than there are pairs.
    """
    done = {(one.recipe, one.seed): one for one in complete(final)}
    seeds = sorted({one.seed for one in done.values() if one.seed is not None})
    seeds = [one for one in seeds if {("winner", one), ("default", one)} <= done.keys()]
    if not seeds:
        return None
    winner, default = ([done[who, seed] for seed in seeds] for who in ("winner", "default"))
    both = [[one.value(metric.name) for one in ones] for ones in (winner, default)]
    differences = [one - other for one, other in zip(*both, strict=True)]
    return Comparison(
        seeds=seeds,
        winner=winner,
        default=default,
        difference=score_of(metric, differences, 0.0, "default recipe"),
        spread=statistics.fmean(map(statistics.variance, both)) ** 0.5 if len(seeds) > 1 else None,
    )


def not_distinct(found: Sequence[Outcome], leader: Outcome, metric: Metric) -> list[Outcome]:
    """Return the complete configurations whose 95 % interval holds the leader's score.

    Nobody can tell them from the leader by the studies that it was chosen on.
    """
    mark = leader.value(metric.name)
    others = [(one, one.scores[metric.name]) for one in complete(found) if one is not leader]
    return [
        one
        for one, score in others
        if score.low is not None and score.high is not None and score.low <= mark <= score.high
    ]


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
    done = complete(search)
    scores = [one.gain(metric) for one in done]
    if len(done) < MIN_TRIALS or len(set(scores)) < 2:
        return []

    def position(key: str, value: JsonValue) -> float:
        return parameters[key].position(value) or 0.0

    axes: dict[str, BaseDistribution] = {}
    for key, parameter in parameters.items():  # the positions of choices have no order
        choices = sorted({position(key, one) for one in parameter.choices})
        axes[key] = CategoricalDistribution(choices) if choices else FloatDistribution(0.0, 1.0)
    points = [{key: position(key, one.values[key]) for key in parameters} for one in done]
    order = random.Random(0)  # noqa: S311  no secret
    measured = _shares(axes, points, scores)
    shuffled = [_shares(axes, points, order.sample(scores, len(scores))) for _ in range(SHUFFLES)]
    return [
        Importance(key, float(share), float(max(one[key] for one in shuffled)))
        for key, share in measured.items()
    ]


def _shares(
    axes: dict[str, BaseDistribution], points: Sequence[dict[str, float]], scores: Sequence[float]
) -> Mapping[str, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        study = optuna.create_study()
        for point, score in zip(points, scores, strict=True):
            study.add_trial(create_trial(params=point, distributions=axes, value=score))
        evaluator = FanovaImportanceEvaluator(n_trees=TREES, max_depth=16, seed=0)
        return get_param_importances(study, evaluator=evaluator)
