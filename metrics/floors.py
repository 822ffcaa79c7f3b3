"""Scores beside what a method without training scores on the same items, pair by pair."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from cinelex.metrics.bootstrap import Groups, percentiles, resampled_sums

COMPARED = ("recall_at_1", "recall_at_5", "recall_at_10")
Columns = Mapping[str, Float[np.ndarray, " item"]]
"""A score of every item, by the name of the metric."""


def beside_floors(
    entries: Mapping[str, Mapping[str, Any]],
    own: Columns,
    floors: Mapping[str, Columns],
    *,
    weights: Float[np.ndarray, " item"] | None = None,
    groups: Groups | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, dict[str, Any]]:
    """Return the entries, with ``baselines`` at each recall: of every floor its value and interval.

    ``margin`` is the score minus the floor, with the interval of the difference paired by item:
    above the floor means that all of it is above 0. What is undefined stays as it is.

    Args:
        entries: Each metric's ``value``, ``low``, ``high``.
        own: What these are means of.
        floors: The same of each floor, in the same order of items.
        weights: Queries of each item; None is one each.
        groups: Items that are drawn together, such as those of one patient.
        resamples: Bootstrap resamples of the items, or of the groups.
        seed: The same seed gives the same intervals.
    """
    result = {name: dict(entry) for name, entry in entries.items()}
    for metric in COMPARED:
        entry = result.get(metric)
        if entry is None or entry["value"] is None:
            continue
        columns = [np.ones_like(own[metric]) if weights is None else weights]
        for floor in floors.values():
            columns += [floor[metric] * columns[0], (own[metric] - floor[metric]) * columns[0]]
        table = np.stack(columns, axis=1)
        sums = table.sum(axis=0)
        drawn = resampled_sums(table, groups=groups, resamples=resamples, seed=seed)
        means, spread = sums[1:] / sums[0], drawn[:, 1:] / drawn[:, :1]
        estimates = [_estimate(*pair) for pair in zip(means, spread.T, strict=True)]
        pairs = zip(floors, estimates[::2], estimates[1::2], strict=True)
        entry["baselines"] = {name: {**value, "margin": margin} for name, value, margin in pairs}
    return result


def _estimate(value: float, drawn: Float[np.ndarray, " resample"]) -> dict[str, float | None]:
    low, high = percentiles(drawn)
    return {"value": float(value), "low": low, "high": high}
