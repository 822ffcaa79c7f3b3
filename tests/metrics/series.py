"""Series whose slope, level, jump and autocorrelation are known."""

import numpy as np
from scipy import signal


def autoregressive(points: int, *, correlation: float, series: int, seed: int = 0) -> np.ndarray:
    """Return stationary AR(1) series of variance 1, one a row."""
    shocks = np.random.default_rng(seed).standard_normal((series, points + 200))
    scale = np.sqrt(1 - correlation**2)
    return np.asarray(signal.lfilter([scale], [1, -correlation], shocks, axis=1)[:, 200:])


def coverage_bounds(series: int, *, nominal: float = 0.95) -> tuple[float, float]:
    """Return between which shares an exact interval covers in 999 of 1,000 such experiments.

    Two points of undercoverage are allowed on top: no interval is exact under autocorrelation.
    """
    spread = 3.3 * np.sqrt(nominal * (1 - nominal) / series)
    return nominal - spread - 0.02, 1.0
