"""A score by subgroup: count, value, interval, and whether it differs from the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from cinelex.metrics.bootstrap import Groups, drawn_counts, percentiles
from cinelex.metrics.weighted import mean_of

MIN_ITEMS = 5
"""Items of a subgroup below which no interval is given."""
MAX_VALUES = 12
"""Values of a column that are shown, the most frequent ones."""


@dataclass(frozen=True, kw_only=True)
class Subgroup:
    """One value of one column."""

    column: str
    value: str
    items: int
    patients: int
    score: float
    low: float | None
    high: float | None
    effect: float | None
    """Difference to all others, in standard deviations of the score over all items."""
    p_value: float | None
    """Two-sided, of that difference: normal, with the standard error over resampled patients."""


def subgroups(
    columns: Mapping[str, Sequence[str]],
    values: Float[np.ndarray, " item"],
    patients: Groups,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> list[Subgroup]:
    """Return every subgroup of every column; an item without a value is in none.

    Args:
        columns: The value of each item, "" where unknown.
        values: The score of each item.
        patients: Items that are drawn together.
        resamples: Bootstrap resamples of the patients.
        seed: The same seed gives the same intervals.
    """
    counts = np.concatenate(list(drawn_counts(patients, resamples=resamples, seed=seed)))
    found = []
    for column, of in columns.items():
        names, sizes = np.unique([text for text in of if text], return_counts=True)
        kept = sorted(names[np.argsort(-sizes, kind="stable")][:MAX_VALUES].tolist())
        if len(kept) > 1:
            own = np.array(of)
            found += [_one(column, name, own == name, values, patients, counts) for name in kept]
    return found


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values that hold the chance of any false finding, however many are looked at.

    Source: Holm 1979, Scandinavian Journal of Statistics 6(2).
    """
    order = np.argsort(p_values, kind="stable")
    scaled = np.asarray(p_values)[order] * (len(order) - np.arange(len(order)))
    result = np.empty(len(order))
    result[order] = np.maximum.accumulate(scaled).clip(max=1.0)
    return result.tolist()


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return p-values that hold the share of false findings among all findings.

    Source: Benjamini and Hochberg 1995, Journal of the Royal Statistical Society B 57(1).
    """
    order = np.argsort(p_values, kind="stable")
    scaled = np.asarray(p_values)[order] * len(order) / (1 + np.arange(len(order)))
    result = np.empty(len(order))
    result[order] = np.minimum.accumulate(scaled[::-1])[::-1].clip(max=1.0)
    return result.tolist()


def _one(
    column: str,
    name: str,
    own: np.ndarray,
    values: Float[np.ndarray, " item"],
    patients: Groups,
    counts: Float[np.ndarray, "resample item"],
) -> Subgroup:
    from scipy.special import ndtr  # here, because it takes a while

    about: dict[str, Any] = {"column": column, "value": name, "items": int(own.sum())}
    about |= {"patients": len(np.unique(patients[own])), "score": float(values[own].mean())}
    if own.sum() < MIN_ITEMS or own.all():
        return Subgroup(**about, low=None, high=None, effect=None, p_value=None)
    inside, outside = mean_of(values[own]), mean_of(values[~own])
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = inside(counts[:, own])
        gaps = drawn - outside(counts[:, ~own])
    low, high = percentiles(drawn[np.isfinite(drawn)])
    gap = float(values[own].mean() - values[~own].mean())
    error, spread = float(np.nanstd(gaps)), float(values.std())
    p_value = float(2 * ndtr(-abs(gap) / error)) if error else None
    return Subgroup(
        **about, low=low, high=high, effect=gap / spread if spread else None, p_value=p_value
    )
