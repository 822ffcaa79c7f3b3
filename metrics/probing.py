"""What a probe tells of targets, of every resample at once: AUROC, AUPRC, accuracy, errors."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int

from cinelex.metrics.bootstrap import percentiles

Weights = Float[np.ndarray, "resample item"]
"""How often each resample has each item; a row of ones is the sample itself."""
Statistic = Callable[
    [Weights, Float[np.ndarray, "item *column"], Float[np.ndarray, " item"]],
    Float[np.ndarray, " resample"],
]
"""From weights, predictions and truths to a number a resample; NaN where it is undefined."""

_CELLS: Final = 20_000_000
"""Weights that are held at once."""


def auroc(
    weights: Weights, score: Float[np.ndarray, " item"], truth: Float[np.ndarray, " item"]
) -> Float[np.ndarray, " resample"]:
    """Return the chance that a positive has the higher score; ties are half. Chance is 0.5."""
    yes, no = _by_score(weights, score, truth)
    below = no.cumsum(axis=1) - no
    won = (yes * (below + no / 2)).sum(axis=1)
    return _ratio(won, yes.sum(axis=1) * no.sum(axis=1))


def auprc(
    weights: Weights, score: Float[np.ndarray, " item"], truth: Float[np.ndarray, " item"]
) -> Float[np.ndarray, " resample"]:
    """Return the average precision, a step where recall rises; chance is the share of positives."""
    yes, no = (part[:, ::-1] for part in _by_score(weights, score, truth))
    found = yes.cumsum(axis=1)
    taken = found + no.cumsum(axis=1)
    precision = np.divide(found, taken, out=np.zeros_like(found), where=taken > 0)
    return _ratio((yes * precision).sum(axis=1), yes.sum(axis=1))


def balanced_accuracy(
    weights: Weights, guess: Float[np.ndarray, " item"], truth: Float[np.ndarray, " item"]
) -> Float[np.ndarray, " resample"]:
    """Return the mean recall over the classes that a resample has; a constant scores 1/classes."""
    right = guess == truth
    recalls = [
        _ratio(weights @ (right & (truth == one)).astype(float), weights @ (truth == one))
        for one in np.unique(truth)
    ]
    there = np.isfinite(recalls)
    return _ratio(np.where(there, recalls, 0.0).sum(axis=0), there.sum(axis=0).astype(float))


def mean_absolute_error(
    weights: Weights, guess: Float[np.ndarray, " item"], truth: Float[np.ndarray, " item"]
) -> Float[np.ndarray, " resample"]:
    """Return the mean absolute error, in the target's unit."""
    return _ratio(weights @ np.abs(guess - truth), weights.sum(axis=1))


def pearson(
    weights: Weights, guess: Float[np.ndarray, " item"], truth: Float[np.ndarray, " item"]
) -> Float[np.ndarray, " resample"]:
    """Return the correlation; NaN for a constant, which knows nothing and cannot be scaled."""
    first, second = guess - guess.mean(), truth - truth.mean()
    total = weights.sum(axis=1)
    means = [_ratio(weights @ row, total) for row in (first, second)]
    together = _ratio(weights @ (first * second), total) - means[0] * means[1]
    spreads = [
        _ratio(weights @ row**2, total) - mean**2
        for row, mean in zip((first, second), means, strict=True)
    ]
    scale = np.sqrt(np.clip(spreads[0], 0, None) * np.clip(spreads[1], 0, None))
    varied = min(np.ptp(guess), np.ptp(truth)) > 0 if len(guess) else False
    return _ratio(together, scale) if varied else np.full(len(weights), np.nan)


def best_threshold(score: Float[np.ndarray, " item"], truth: Float[np.ndarray, " item"]) -> float:
    """Return the threshold with the best balanced accuracy; a score at it counts as positive.

    The middle between two neighbouring scores, so that another split falls to either side; the
    lowest of equals, and 0.5 where a class has no item.
    """
    levels = np.unique(score)
    yes, no = float((truth > 0).sum()), float((truth <= 0).sum())
    if not yes or not no:
        return 0.5
    rank = np.searchsorted(levels, score)
    found = np.bincount(rank[truth > 0], minlength=len(levels))[::-1].cumsum()[::-1] / yes
    wrong = np.bincount(rank[truth <= 0], minlength=len(levels))[::-1].cumsum()[::-1] / no
    best = int(np.argmax(found - wrong))
    return float(levels[best] if best == 0 else (levels[best - 1] + levels[best]) / 2)


CLASSES: Final[Mapping[str, Statistic]] = {"balanced_accuracy": balanced_accuracy}
RANKING: Final[Mapping[str, Statistic]] = {"auroc": auroc, "auprc": auprc}
NUMBERS: Final[Mapping[str, Statistic]] = {"mae": mean_absolute_error, "pearson": pearson}


def resampled(
    patient: Int[np.ndarray, " item"], *, resamples: int, seed: int
) -> Float[np.ndarray, "resample item"]:
    """Return weights: the sample itself first, then resamples of whole patients."""
    _, member = np.unique(patient, return_inverse=True)
    people = int(member.max(initial=-1)) + 1
    draw = np.random.default_rng(seed)
    most = min(resamples, max(1, _CELLS // max(1, len(patient))))
    counts = draw.multinomial(people, np.full(people, 1 / people), size=most)
    return np.concatenate([np.ones((1, len(patient))), counts[:, member]]).astype(np.float64)


def ends(drawn: Float[np.ndarray, " resample"]) -> tuple[float | None, float | None]:
    """Return the 95 % interval of what `resampled` gave: all but the first, where defined."""
    return percentiles(drawn[1:][np.isfinite(drawn[1:])])


def _by_score(
    weights: Weights, score: Float[np.ndarray, " item"], truth: Float[np.ndarray, " item"]
) -> tuple[Float[np.ndarray, "resample level"], Float[np.ndarray, "resample level"]]:
    """Return the weight of positives and of negatives at each level of the score, rising."""
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.diff(score[order], prepend=-np.inf) > 0)
    if not len(starts):
        return np.zeros((len(weights), 1)), np.zeros((len(weights), 1))
    positive: Bool[np.ndarray, " item"] = truth[order] > 0
    ordered = weights[:, order]
    yes = np.add.reduceat(ordered * positive, starts, axis=1)
    return yes, np.add.reduceat(ordered * ~positive, starts, axis=1)


def _ratio(
    top: Float[np.ndarray, " resample"], bottom: Float[np.ndarray, " resample"]
) -> Float[np.ndarray, " resample"]:
    return np.divide(top, bottom, out=np.full(np.shape(top), np.nan), where=np.asarray(bottom) > 0)
