"""How well two classes are told apart, with intervals over the people whose samples they are."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from cinelex.metrics.bootstrap import interval_of_sums
from cinelex.metrics.weighted import auroc_of


@dataclass(frozen=True)
class Accuracy:
    """Balanced accuracy and its 95 % interval; chance is 0.5, and so is a constant answer."""

    value: float | None
    """None where a class has no sample."""
    low: float | None
    high: float | None


def balanced_accuracy(
    predicted: Bool[np.ndarray, " sample"],
    truth: Bool[np.ndarray, " sample"],
    group: Int[np.ndarray, " sample"],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> Accuracy:
    """Return the mean of the two classes' recalls; whole groups are resampled for the interval.

    Args:
        predicted: whether each sample is taken for the second class.
        truth: whether it is of the second class.
        group: equal numbers for samples that are not independent, such as one person's.
        resamples: bootstrap resamples of the groups.
        seed: the same seed gives the same interval.
    """
    right = predicted == truth
    columns = np.stack([right & ~truth, ~truth, right & truth, truth], axis=1).astype(np.float64)
    _, member = np.unique(group, return_inverse=True)
    counts = np.zeros((member.max(initial=-1) + 1, columns.shape[1]))
    np.add.at(counts, member, columns)
    with np.errstate(invalid="ignore"):
        value = float(_balanced(counts.sum(axis=0, keepdims=True))[0])
    if not np.isfinite(value):
        return Accuracy(None, None, None)
    low, high = interval_of_sums(counts, statistic=_balanced, resamples=resamples, seed=seed)
    return Accuracy(value, low, high)


def _balanced(sums: Float[np.ndarray, "resample column"]) -> Float[np.ndarray, " resample"]:
    return np.asarray((sums[:, 0] / sums[:, 1] + sums[:, 2] / sums[:, 3]) / 2)


def auroc(score: Float[np.ndarray, " sample"], truth: Bool[np.ndarray, " sample"]) -> float:
    """Return the probability that a sample of the second class has the higher score; ties are 0.5.

    Chance is 0.5, and so is a constant score; NaN where a class has no sample.

    Source: Hanley and McNeil 1982, Radiology 143(1).
    """
    return float(auroc_of(score, truth)(np.ones((1, len(score))))[0])
