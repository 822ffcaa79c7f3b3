"""How much of a score's variance each of several settings explains, beside what noise explains."""

import random
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

TREES = 24
SHUFFLES = 19
"""A share above all of 19 is one that noise reaches in one of 20 cases."""
MIN_POINTS = 6
"""Below this number of points nothing is computed."""


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
    points: Sequence[dict[str, float]],
    scores: Sequence[float],
    *,
    choices: Mapping[str, set[float]],
) -> list[Importance]:
    """Return the importance of each key, greatest first.

    Empty with fewer than six points, or where all scored the same. The shares of any scores sum
    to 1, those of pure noise too: the null is what says whether there is anything.

    Args:
        points: Of each score, where every key stood, from 0 to 1.
        scores: What came out.
        choices: All that a key without an order can be.

    Source: Hutter, Hoos and Leyton-Brown 2014, "An efficient approach for assessing hyperparameter
        importance" (functional ANOVA); the null is a permutation of the scores.
    """
    if len(scores) < MIN_POINTS or len(set(scores)) < 2:
        return []
    order = random.Random(0)  # noqa: S311  no secret
    measured = _shares(points, scores, choices)
    shuffled = [
        _shares(points, order.sample(scores, len(scores)), choices) for _ in range(SHUFFLES)
    ]
    return [
        Importance(key, float(share), float(max(one[key] for one in shuffled)))
        for key, share in measured.items()
    ]


def _shares(
    points: Sequence[dict[str, float]], scores: Sequence[float], choices: Mapping[str, set[float]]
) -> Mapping[str, float]:
    import optuna  # here, because it takes a second
    from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

    axes: dict[str, BaseDistribution] = {
        key: CategoricalDistribution(sorted(choices[key]))
        if choices.get(key)
        else FloatDistribution(0.0, 1.0)
        for key in points[0]
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study = optuna.create_study()
        for point, score in zip(points, scores, strict=True):
            trial = optuna.trial.create_trial(params=point, distributions=axes, value=score)
            study.add_trial(trial)
        evaluator = optuna.importance.FanovaImportanceEvaluator(n_trees=TREES, max_depth=16, seed=0)
        return optuna.importance.get_param_importances(study, evaluator=evaluator)
