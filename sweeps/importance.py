"""How much of the scores each swept key explains, beside what it would explain of shuffled ones."""

import random
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState, create_trial

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
    def clear(self) -> bool:
        """Return whether the key explains more than of any shuffled scores, which is p = 0.05."""
        return self.share > self.null


def importances(search: optuna.Study) -> list[Importance]:
    """Return the importance of each key for the first objective, greatest first.

    Empty with fewer than six complete configurations, or where all scored the same. The shares of
    any scores sum to 1, those of pure noise too: the null is what says whether there is anything.

    Source: Hutter, Hoos and Leyton-Brown 2014, "An efficient approach for assessing hyperparameter
    importance" (functional ANOVA); the null is a permutation of the scores.
    """
    trials = [
        trial for trial in search.get_trials(states=(TrialState.COMPLETE,)) if trial.distributions
    ]
    scores = [trial.values[0] for trial in trials]
    if len(trials) < MIN_TRIALS or len(set(scores)) < 2:
        return []
    measured = _shares(trials, scores)
    shuffled: dict[str, list[float]] = {key: [] for key in measured}
    order = random.Random(0)  # noqa: S311  no secret
    for _ in range(SHUFFLES):
        mixed = order.sample(scores, len(scores))
        for key, share in _shares(trials, mixed).items():
            shuffled[key].append(share)
    return [
        Importance(key, float(share), float(max(shuffled[key]))) for key, share in measured.items()
    ]


def _shares(trials: Sequence[FrozenTrial], scores: Sequence[float]) -> Mapping[str, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        study = optuna.create_study()
        study.add_trials(
            [
                create_trial(params=trial.params, distributions=trial.distributions, value=score)
                for trial, score in zip(trials, scores, strict=True)
            ]
        )
        evaluator = FanovaImportanceEvaluator(n_trees=TREES, max_depth=16, seed=0)
        return get_param_importances(study, evaluator=evaluator)
