"""How much independent evidence a series of correlated points holds."""

import numpy as np
from statsmodels.tsa.stattools import acf

from cinelex.metrics.series import Lags, Points

_COEFFICIENT_BIAS = 1.5
"""A curve taken out of n points lowers every autocorrelation by about 1/n times the autocorrelation
time for each coefficient; 1.5 covered at the nominal rate (docs/how-to/logs.md)."""


def without_line(values: Points) -> Points:
    """Return what a straight line, fitted by least squares, leaves of the values."""
    places = np.arange(len(values), dtype=np.float64)
    line = np.polynomial.Polynomial.fit(places, values, 1)
    return values - line(places)


def positive_lags(correlations: Lags) -> int:
    """Return how many lags to sum, lag 0 among them: until a pair of lags sums below 0.

    Source: Geyer 1992, Practical Markov chain Monte Carlo, section 3.3.
    """
    even = len(correlations) // 2 * 2
    pairs = correlations[:even].reshape(-1, 2).sum(axis=1)
    ends = np.flatnonzero(pairs <= 0)
    return 2 * int(ends[0]) if len(ends) else even


def correlations_of(residuals: Points) -> Lags:
    """Return autocorrelations from lag 0 to half the length; 0 beyond lag 0 if all are equal."""
    if np.ptp(residuals) <= 1e-12 * max(1e-300, float(np.abs(residuals).max())):
        return np.eye(1, len(residuals) // 2 + 1)[0]
    return np.asarray(acf(residuals, nlags=len(residuals) // 2, fft=True), dtype=np.float64)


def without_bias(inflation: float, points: int, *, coefficients: int = 2) -> float:
    """Return a variance inflation corrected for the curve that was taken out; at least 1."""
    inflation = max(1.0, inflation)
    return inflation / max(1.0 - _COEFFICIENT_BIAS * coefficients * inflation / points, 0.1)


def autocorrelation_time(residuals: Points) -> float:
    """Return how many points count as one independent one; at least 1.

    ``1 + 2 sum_k (1 - k/n) r_k`` over `positive_lags`, corrected for the fitted line. Points over
    this is the effective number of points.
    """
    points = len(residuals)
    correlations = correlations_of(residuals)
    lags = np.arange(1, max(positive_lags(correlations), 1))
    sums = float(np.sum((1 - lags / points) * correlations[lags]))
    return without_bias(1 + 2 * sums, points)
