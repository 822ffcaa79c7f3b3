"""Steps at which a metric jumps or bends, and how well the place of a jump is known."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize, stats

from cinelex.metrics.series import Points
from cinelex.metrics.series.autocorrelation import autocorrelation_time
from cinelex.metrics.series.trend import bucket_means

MAX_POINTS = 240
"""A longer series is averaged in this many buckets first."""
MAX_CHANGES = 4
FEWEST_POINTS = 40
_FEWEST_INDEPENDENT = 20.0
"""With fewer effective points, slow noise is taken for changes in more than 5 % of series."""
_SHORTEST_SHARE = 0.05
_NEIGHBOURS = 10
_PENALTY = 4.0
"""Times ln(points): two coefficients and a place, and the search over all places."""


@dataclass(frozen=True)
class ChangePoint:
    """Two straight lines meet, or fail to meet, here."""

    step: float
    """The last step before the change."""
    jump: float
    """The right line minus the left one, between the two points."""
    low: float
    """Earliest step, 95 %; NaN for a bend without a clear jump, whose place this cannot bound."""
    high: float
    """Latest step."""


def change_points(steps: Points, values: Points) -> list[ChangePoint]:
    """Return where piecewise straight lines fit clearly better than fewer of them, in order.

    Binary segmentation with a line for each segment; another segment must lower the sum of
    squares by more than ``4 ln(n)`` long-run variances of what is left, so that correlated noise
    is not cut into pieces. Nothing is found in fewer than 40 points, or 20 independent ones.

    Source: Truong, Oudre and Vayatis 2020, Signal Processing 167 (ruptures); Bai 1997, Review of
    Economics and Statistics 79, for the interval of a jump's place.
    """
    all_steps, all_values = steps, values
    steps, values = bucket_means(steps, MAX_POINTS), bucket_means(values, MAX_POINTS)
    points = len(values)
    if points < FEWEST_POINTS or np.ptp(values) == 0:
        return []
    scaled = (values - values.mean()) / values.std()
    places = np.linspace(-1.0, 1.0, points)
    signal = np.column_stack([scaled, places, np.ones(points)])
    shortest = max(4, round(_SHORTEST_SHARE * points))
    import ruptures  # here, because only those who read logs have it

    search = ruptures.Binseg(model="linear", min_size=shortest, jump=1).fit(signal)
    best: list[int] = [points]
    left = _residuals(scaled, best)
    for count in range(1, MAX_CHANGES + 1):
        ends = search.predict(n_bkps=count)
        residuals = _residuals(scaled, ends)
        needed = _PENALTY * np.log(points) * _long_run_variance(residuals)
        gained = float(np.sum(left**2) - np.sum(residuals**2))
        if gained <= needed or gained <= 1e-9 * points:
            break
        best, left = ends, residuals
    if points < _FEWEST_INDEPENDENT * autocorrelation_time(left):
        return []
    variance = _long_run_variance(left) * float(values.var())
    found = [_describe(steps, values, best, place, variance) for place in range(len(best) - 1)]
    return [_abrupt_or_bend(change, all_steps, all_values) for change in found]


def place_quantile(probability: float) -> float:
    """Return a quantile of the place of the maximum of two-sided Brownian motion less |v| / 2.

    The 97.5 % quantile, for intervals of 95 %, is 11.03.

    Source: Yao 1987, Annals of Statistics 15, equation 1.8; Bai 1997, section II.C.
    """

    def excess(place: float) -> float:
        root = np.sqrt(place)
        return float(
            1
            + root / np.sqrt(2 * np.pi) * np.exp(-place / 8)
            - (place + 5) / 2 * stats.norm.cdf(-root / 2)
            + 1.5 * np.exp(place + stats.norm.logcdf(-1.5 * root))
            - probability
        )

    return float(optimize.brentq(excess, 1e-9, 500.0))


def _describe(
    steps: Points, values: Points, ends: list[int], place: int, variance: float
) -> ChangePoint:
    start = ends[place - 1] if place else 0
    middle, end = ends[place], ends[place + 1]
    between = (steps[middle - 1] + steps[middle]) / 2
    before = np.polynomial.Polynomial.fit(steps[start:middle], values[start:middle], 1)
    after = np.polynomial.Polynomial.fit(steps[middle:end], values[middle:end], 1)
    jump = float(after(between) - before(between))
    # the variance of a line at its end is four times that of a mean of as many points
    error = np.sqrt(4 * variance * (1 / (middle - start) + 1 / (end - middle)))
    low = high = float("nan")
    if abs(jump) > 3 * error:
        reach = int(place_quantile(0.975) * variance / jump**2) + 1
        low = float(steps[max(middle - 1 - reach, 0)])
        high = float(steps[min(middle - 1 + reach, len(steps) - 1)])
    return ChangePoint(float(steps[middle - 1]), jump, low, high)


def _abrupt_or_bend(change: ChangePoint, steps: Points, values: Points) -> ChangePoint:
    """Take back the place of a jump of which the points around its interval show less than half.

    Lines that are fitted to a steep curve can miss each other where the curve is smooth.
    """
    if np.isnan(change.low):
        return change
    before = values[steps < change.low][-_NEIGHBOURS:]
    after = values[steps > change.high][:_NEIGHBOURS]
    if len(before) and len(after):
        seen = float(np.median(after) - np.median(before))
        if seen / change.jump > 0.5:
            return change
    return replace(change, low=float("nan"), high=float("nan"))


def _residuals(values: Points, ends: list[int]) -> Points:
    pieces = []
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        places = np.arange(end - start, dtype=np.float64)
        line = np.polynomial.Polynomial.fit(places, values[start:end], 1)
        pieces.append(values[start:end] - line(places))
    return np.concatenate(pieces)


def _long_run_variance(residuals: Points) -> float:
    return float(np.var(residuals)) * autocorrelation_time(residuals)
