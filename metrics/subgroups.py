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
    """Two-sided, of that difference: normal, with mean and deviation of scores dealt anew."""


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
    dealt = _dealt(values, patients, resamples=resamples, seed=seed)
    found = []
    for column, of in columns.items():
        names, sizes = np.unique([text for text in of if text], return_counts=True)
        kept = sorted(names[np.argsort(-sizes, kind="stable")][:MAX_VALUES].tolist())
        if len(kept) > 1:
            own = np.array(of)
            found += [
                _one(column, name, own == name, values, patients, counts, dealt) for name in kept
            ]
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
    dealt: Float[np.ndarray, "resample item"],
) -> Subgroup:
    from scipy.special import ndtr  # here, because it takes a while

    about: dict[str, Any] = {"column": column, "value": name, "items": int(own.sum())}
    about |= {"patients": len(np.unique(patients[own])), "score": float(values[own].mean())}
    if own.sum() < MIN_ITEMS or own.all():
        return Subgroup(**about, low=None, high=None, effect=None, p_value=None)
    inside = mean_of(values[own])
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = inside(counts[:, own])
    low, high = percentiles(drawn[np.isfinite(drawn)])
    gap = float(values[own].mean() - values[~own].mean())
    by_chance = dealt[:, own].mean(axis=1) - dealt[:, ~own].mean(axis=1)
    error, spread = float(by_chance.std()), float(values.std())
    z = (gap - float(by_chance.mean())) / error if error else None
    return Subgroup(
        **about,
        low=low,
        high=high,
        effect=gap / spread if spread else None,
        p_value=None if z is None else float(2 * ndtr(-abs(z))),
    )


def _dealt(
    values: Float[np.ndarray, " item"], patients: Groups, *, resamples: int, seed: int
) -> Float[np.ndarray, "resample item"]:
    """Return scores as they would be where no subgroup matters: dealt anew among the patients.

    A patient's scores stay together and go to one with as many items. A standard error of the
    subgroup's own scores would be 0 where these are all alike, as eleven misses at 25 % are.
    """
    random = np.random.default_rng(seed)
    dealt = np.repeat(values[None], resamples, axis=0)
    _, first = np.unique(np.sort(patients), return_index=True)
    of = np.split(np.argsort(patients, kind="stable"), first[1:])
    for size in {len(items) for items in of}:
        alike = np.stack([items for items in of if len(items) == size])
        for row in dealt:
            row[alike] = values[alike[random.permutation(len(alike))]]
    return dealt
