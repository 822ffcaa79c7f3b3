"""Where a metric begins and where it ends, with intervals that allow for autocorrelation."""

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64
from scipy import stats

from cinelex.core.randomness import numpy_generator
from cinelex.metrics.series import Points
from cinelex.metrics.series.autocorrelation import autocorrelation_time, without_line

SHARE = 0.05
"""Share of the points whose median is a level."""
RESAMPLES = 400
_CONTEXT = 4
"""Autocorrelation is estimated over this many windows, since one holds too few points for it."""
_FEWEST = 5
_FEWEST_INDEPENDENT = 3.0


@dataclass(frozen=True)
class Level:
    """A median with its standard error."""

    value: float
    error: float
    """Standard error; NaN where the window holds too little independent evidence for one."""
    effective: float
    """Effective number of points in the window."""
    points: int

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval; NaN where there is no standard error."""
        reach = _quantile(self.effective) * self.error
        return self.value - reach, self.value + reach


@dataclass(frozen=True)
class Change:
    """How far the last level stands from the first."""

    first: Level
    last: Level
    borrowed: bool = False
    """Whether the start moves too fast for an error of its own, so that it got the end's: then the
    interval says what noise like that of the end could have done, which is what a test needs."""

    @property
    def value(self) -> float:
        """Last minus first."""
        return self.last.value - self.first.value

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the difference; NaN where either level has none."""
        freedom = min(self.first.effective, self.last.effective)
        reach = _quantile(freedom) * math.hypot(self.first.error, self.last.error)
        return self.value - reach, self.value + reach

    @property
    def testable(self) -> bool:
        """Whether the interval exists."""
        return not math.isnan(self.interval[0])


def level_change(values: Points) -> Change:
    """Return the medians of the first and the last 5 % of the points, at least one each."""
    first, last = _level(values[::-1]), _level(values)
    if math.isnan(first.error) and not math.isnan(last.error):
        first = replace(first, error=last.error, effective=last.effective)
        return Change(first, last, borrowed=True)
    return Change(first, last)


def _level(values: Points) -> Level:
    """Return the level at the end of the values.

    A circular block bootstrap with blocks of one autocorrelation time gives the standard error;
    it is divided by ``sqrt(1/2 (1 - t/n))``, since resampled blocks keep only about half of the
    correlation (none where t is 1), and since a median is compared with that of its own window.

    Source: Politis and Romano 1992, A circular block-resampling procedure.
    """
    size = max(1, round(SHARE * len(values)))
    window = values[-size:]
    middle = float(np.median(window))
    if size < _FEWEST:
        return Level(middle, math.nan, float(size), size)
    time = autocorrelation_time(without_line(values[-_CONTEXT * size :]))
    effective = size / time
    if effective < _FEWEST_INDEPENDENT:
        return Level(middle, math.nan, effective, size)
    block = min(math.ceil(time), size // 2)
    spread = float(np.std(_resampled_medians(window, block), ddof=1))
    kept = max(1 - time / (2 * block), 0.3) if block > 1 else 1.0
    return Level(middle, spread / math.sqrt(kept * (1 - time / size)), effective, size)


def _resampled_medians(window: Points, block: int) -> Float64[np.ndarray, " draw"]:
    size = len(window)
    draws = numpy_generator("level", size, block)
    starts = draws.integers(0, size, (RESAMPLES, -(-size // block)))
    places = (starts[:, :, None] + np.arange(block)) % size
    return np.asarray(np.median(window[places.reshape(RESAMPLES, -1)[:, :size]], axis=1))


def _quantile(effective: float) -> float:
    return float(stats.t.ppf(0.975, max(effective - 1, 2.0)))
