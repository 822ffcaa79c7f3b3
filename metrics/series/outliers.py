"""Spikes of a metric, and how much of its way it went at once."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, stats

from cinelex.metrics.series import Points
from cinelex.metrics.series.autocorrelation import without_line

THRESHOLD = 8.0
"""Median absolute deviations; 8 are 5.4 standard deviations of a normal distribution."""
_WINDOW = 15
_EARLY = 0.01
_FEWEST_EARLY = 3


@dataclass(frozen=True)
class Spikes:
    """Points far from the running median around them."""

    steps: tuple[float, ...]
    expected: float
    """How many normal noise would show."""


def spikes(steps: Points, values: Points) -> Spikes:
    """Return the steps at which a value stands more than 8 MAD off the median of 15 points."""
    residuals = values - ndimage.median_filter(values, size=_WINDOW, mode="nearest")
    deviation = float(stats.median_abs_deviation(residuals))
    scale = max(deviation, 1e-9 * float(np.abs(values).max()))
    found = np.abs(residuals - np.median(residuals)) > THRESHOLD * scale
    rare = 2 * float(stats.norm.sf(THRESHOLD * stats.norm.ppf(0.75)))
    return Spikes(tuple(steps[found].tolist()), rare * len(values))


def early_share(steps: Points, values: Points, *, last_level: float) -> float | None:
    """Return the share of the way from the first value to the last level done in the first 1 %.

    A steady course scores 0.01. None where fewer than 3 points lie in the first 1 % of the steps,
    or where the whole way is less than 8 MAD of the last quarter's values.
    """
    reached = steps[0] + _EARLY * (steps[-1] - steps[0])
    early = values[steps <= reached]
    way = last_level - float(values[0])
    noise = float(stats.median_abs_deviation(without_line(values[-len(values) // 4 :])))
    if len(early) < _FEWEST_EARLY or abs(way) <= THRESHOLD * noise:
        return None
    return float(np.median(early[-_FEWEST_EARLY:]) - values[0]) / way
