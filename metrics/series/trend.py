"""Theil–Sen slopes whose intervals know that neighbouring points are not independent."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy import stats

from cinelex.metrics.series import Points
from cinelex.metrics.series.autocorrelation import correlations_of, positive_lags, without_bias

MAX_POINTS = 800
"""A longer series is averaged in this many buckets first: pairs grow with the square."""
FEWEST_INDEPENDENT = 12.0
"""With fewer effective points the interval covers too seldom to be shown."""
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Trend:
    """A slope per step, its 95 % interval, and how much evidence it stands on."""

    slope: float
    low: float
    high: float
    effective: float
    """Effective number of points."""

    @property
    def testable(self) -> bool:
        """Whether there is enough independent evidence for the interval to mean what it says."""
        return self.effective >= FEWEST_INDEPENDENT


@dataclass(frozen=True)
class Ranking:
    """Whether values rise or fall with their place, and how much evidence that stands on."""

    tau: float
    """Kendall's tau: 1 where each value is above all before it, -1 where each is below."""
    p_value: float
    """Two-sided, against no trend, with the corrected variance."""
    effective: float
    """Effective number of points."""

    @property
    def testable(self) -> bool:
        """Whether there is enough independent evidence for the p-value to mean what it says."""
        return self.effective >= FEWEST_INDEPENDENT


def bucket_means(values: Points, count: int) -> Float64[np.ndarray, " bucket"]:
    """Return the means of ``count`` equal stretches of the values, or the values if they are few.

    What is left over at the start, less than one bucket, is dropped.
    """
    size = -(-len(values) // count)
    if size <= 1:
        return values
    whole = len(values) // size * size
    return np.asarray(values[len(values) - whole :].reshape(-1, size).mean(axis=1))


def theil_sen(steps: Points, values: Points) -> Trend:
    """Return the median of all pairwise slopes, with an interval that allows for autocorrelation.

    The interval takes the ordered pairwise slopes ``quantile * sd(S)`` places from the middle,
    where the variance of Kendall's S carries Hamed and Rao's factor, summed to Geyer's lag
    instead of over the lags that look significant (those let 95 % intervals cover 83 %), and
    where the quantile is Student's with half the effective points as degrees of freedom.

    Source: Sen 1968, JASA 63; Hamed and Rao 1998, Journal of Hydrology 204, equations 13 to 15.

    Args:
        steps: Where the values stand; they rise.
        values: At least 4.
    """
    steps, values = bucket_means(steps, MAX_POINTS), bucket_means(values, MAX_POINTS)
    points = len(values)
    assert points >= 4
    first, second = np.triu_indices(points, 1)
    differences = values[second] - values[first]
    slopes = np.sort(differences / (steps[second] - steps[first]))
    slope = float(np.median(slopes))
    inflation = _hamed_rao(values - slope * steps, coefficients=2)
    effective = points / inflation
    reach = stats.t.ppf((1 + CONFIDENCE) / 2, _freedom(effective)) * _deviation(points, inflation)
    last = len(slopes) - 1
    low, high = np.clip(np.round((last + np.array([-reach, reach])) / 2), 0, last).astype(int)
    return Trend(slope, float(slopes[low]), float(slopes[high]), effective)


def ranking(values: Points) -> Ranking:
    """Return Kendall's tau of the values with their places, allowing for autocorrelation.

    As in `theil_sen`, but autocorrelation is that of what a parabola leaves: of a straight line, a
    course that only bends would leave so much that it passed for slow noise.

    Args:
        values: At least 4, in order.
    """
    values = bucket_means(values, MAX_POINTS)
    points = len(values)
    assert points >= 4
    first, second = np.triu_indices(points, 1)
    score = float(np.sign(values[second] - values[first]).sum())
    places = np.arange(points, dtype=np.float64)
    curve = np.polynomial.Polynomial.fit(places, values, 2)(places)
    # what is left of an exact parabola is rounding, which is correlated and no noise
    left = np.where(
        np.isclose(values, curve, rtol=0, atol=1e-9 * np.ptp(values)), 0, values - curve
    )
    inflation = _hamed_rao(left, coefficients=3)
    return Ranking(score / len(first), _p_value(score, points, inflation), points / inflation)


def _freedom(effective: float) -> float:
    return max(effective / 2, 1.0)


def _deviation(points: int, inflation: float) -> float:
    """Return the standard deviation of Kendall's S without a trend."""
    return math.sqrt(points * (points - 1) * (2 * points + 5) / 18 * inflation)


def _p_value(score: float, points: int, inflation: float) -> float:
    statistic = max(abs(score) - 1, 0) / _deviation(points, inflation)
    return min(2 * float(stats.t.sf(statistic, _freedom(points / inflation))), 1.0)


def _hamed_rao(residuals: Points, *, coefficients: int) -> float:
    """Return by how much autocorrelation multiplies the variance of Kendall's S."""
    points = len(residuals)
    correlations = correlations_of(stats.rankdata(residuals))
    lags = np.arange(1, max(positive_lags(correlations), 1))
    weights = (points - lags) * (points - lags - 1.0) * (points - lags - 2.0)
    sums = float(np.sum(weights * correlations[lags]))
    inflation = 1 + 2 / (points * (points - 1) * (points - 2)) * sums
    return without_bias(inflation, points, coefficients=coefficients)
