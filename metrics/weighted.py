"""Scores of items that count several times or not at all, as bootstrap resamples need them."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float

from cinelex.metrics.bootstrap import Groups, Weighted, interval_of_drawn
from cinelex.metrics.probing import auroc

Items = Float[np.ndarray, " item"]
WITHIN = 10.0
"""Points within which a measurement is called near."""


def mean_of(values: Items) -> Weighted:
    """Return the mean."""
    return lambda counts: np.asarray(counts @ values / counts.sum(axis=1))


def auroc_of(score: Items, truth: Bool[np.ndarray, " item"]) -> Weighted:
    """Return the probability that a positive has the higher score, ties 0.5; chance is 0.5."""
    known = truth.astype(np.float64)
    return lambda counts: auroc(counts, score, known)


def spread_ratio_of(said: Items, truth: Items) -> Weighted:
    """Return sd(prediction) / sd(truth): 1 where all is told, 0 for a constant answer."""
    return lambda counts: np.sqrt(_moment(counts, said, said) / _moment(counts, truth, truth))


def slope_of(said: Items, truth: Items) -> Weighted:
    """Return the slope of the prediction over the truth: 1 at best, 0 for a constant answer."""
    return lambda counts: _moment(counts, said, truth) / _moment(counts, truth, truth)


def agreement_of(said: Items, truth: Items) -> Mapping[str, Weighted]:
    """Return how measurements agree: error, bias, 95 % limits of agreement, share within 10.

    The limits are bias ± 1.96 standard deviations of the differences.

    Source: Bland and Altman 1986, Lancet 327(8476).
    """
    gap = said - truth
    bias = mean_of(gap)

    def limit(sign: int) -> Weighted:
        def at(counts: np.ndarray) -> np.ndarray:
            count = counts.sum(axis=1)
            spread = np.sqrt(_moment(counts, gap, gap) * count / (count - 1))
            return np.asarray(bias(counts) + sign * 1.96 * spread)

        return at

    return {
        "mae": mean_of(np.abs(gap)),
        "bias": bias,
        "limit_low": limit(-1),
        "limit_high": limit(1),
        "within_10": mean_of((np.abs(gap) <= WITHIN).astype(np.float64)),
        "sd_ratio": spread_ratio_of(said, truth),
        "slope": slope_of(said, truth),
    }


def estimated(
    statistic: Weighted, groups: Groups, *, resamples: int = 1000, seed: int = 0
) -> dict[str, float | None]:
    """Return ``value``, ``low`` and ``high``: a score and its interval over groups of items."""
    with np.errstate(invalid="ignore", divide="ignore"):
        value = float(statistic(np.ones((1, len(groups))))[0]) if len(groups) else np.nan
    if not np.isfinite(value):
        return {"value": None, "low": None, "high": None}
    low, high = interval_of_drawn(statistic, groups, resamples=resamples, seed=seed)
    return {"value": value, "low": low, "high": high}


def less(first: Weighted, second: Weighted) -> Weighted:
    """Return the first score minus the second, on the same resamples."""
    return lambda counts: first(counts) - second(counts)


def _moment(counts: np.ndarray, left: Items, right: Items) -> np.ndarray:
    """Return the covariance of two columns, or the variance of one."""
    share = counts / counts.sum(axis=1, keepdims=True)
    return np.asarray(share @ (left * right) - (share @ left) * (share @ right))
