"""Which metrics move together, and which are the same number under two names."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from cinelex.doctor.logs.metric import Metric
from cinelex.metrics.series import Points
from cinelex.metrics.series.autocorrelation import correlations_of, positive_lags

_FEWEST = 20
_SAME = 0.9999


@dataclass(frozen=True)
class Correlation:
    """Pearson correlation of the changes from point to point.

    Values that merely drift correlate with everything else that drifts; their changes do not.
    """

    first: str
    second: str
    value: float
    low: float
    high: float
    adjusted_p: float
    """After Benjamini and Hochberg over all pairs."""


@dataclass(frozen=True)
class Matrix:
    """Correlations of first differences of all pairs; NaN where undefined."""

    names: tuple[str, ...]
    values: np.ndarray
    pairs: tuple[Correlation, ...]


def joint(metrics: Sequence[Metric]) -> tuple[Points, list[Points]]:
    """Return the steps at which all metrics have a value, and each one's values there."""
    common = metrics[0].steps
    for metric in metrics[1:]:
        common = np.intersect1d(common, metric.steps, assume_unique=True)
    return common, [m.values[np.searchsorted(m.steps, common)] for m in metrics]


def correlations(metrics: Sequence[Metric]) -> Matrix:
    """Return correlations of first differences over the steps that each pair shares."""
    names = tuple(metric.name for metric in metrics)
    values = np.eye(len(metrics))
    found: list[Correlation] = []
    for i, j in itertools.combinations(range(len(metrics)), 2):
        _, (first, second) = joint([metrics[i], metrics[j]])
        pair = _correlation(names[i], names[j], first, second)
        values[i, j] = values[j, i] = pair.value if pair else math.nan
        if pair:
            found.append(pair)
    return Matrix(names, values, tuple(_adjusted(found)))


@dataclass(frozen=True)
class SameNumber:
    """Metrics that carry one number between them."""

    names: tuple[str, ...]
    formula: str
    """How one follows from the other, with the numbers put in."""
    agreement: float
    """Greatest relative error of that formula, or 1 minus R² of the straight line."""


def same_numbers(metrics: Sequence[Metric]) -> list[SameNumber]:
    """Return pairs whose changes are exactly proportional."""
    found = []
    for first, second in itertools.combinations(metrics, 2):
        _, (x, y) = joint([first, second])
        if len(x) < _FEWEST:
            continue
        value = _pearson(np.diff(x), np.diff(y))
        if abs(value) > _SAME:
            slope, offset = np.polynomial.Polynomial.fit(x, y, 1).convert().coef[::-1]
            formula = f"{second.name} = {slope:.4g} x {first.name} {offset:+.3g}"
            found.append(SameNumber((first.name, second.name), formula, 1 - value**2))
    return found


def norm_identity(mean: Metric, std: Metric, norm: Metric) -> tuple[SameNumber, float] | None:
    """Return that the norm follows from mean and standard deviation, with the width; else None.

    For vectors of width d, ``norm² = d (std² + mean²)`` where all three are taken over the same
    numbers, so d is one constant at every step. None where it varies by more than 1 %, or is no
    whole number within the same 1 %, or fewer than 20 steps have all three.
    """
    _, (mu, sigma, length) = joint([mean, std, norm])
    below = sigma**2 + mu**2
    if len(mu) < _FEWEST or (below <= 0).any():
        return None
    widths = length**2 / below
    width = float(np.median(widths))
    worst = float(np.abs(widths / width - 1).max())
    if worst > 0.01 or width < 1.5:
        return None
    formula = f"{norm.name}² = {width:.1f} ({std.name}² + {mean.name}²)"
    return SameNumber((std.name, norm.name, mean.name), formula, worst), width


def _correlation(first: str, second: str, x: Points, y: Points) -> Correlation | None:
    if len(x) < _FEWEST:
        return None
    dx, dy = np.diff(x), np.diff(y)
    value = _pearson(dx, dy)
    if math.isnan(value):
        return None
    effective = _effective_pairs(dx, dy)
    height = math.atanh(min(abs(value), 1 - 1e-12))
    error = 1 / math.sqrt(max(effective - 3, 1.0))
    p_value = 2 * float(stats.norm.sf(height / error))
    reach = float(stats.norm.ppf(0.975)) * error
    low, high = math.tanh(height - reach), math.tanh(height + reach)
    low, high = (low, high) if value >= 0 else (-high, -low)
    return Correlation(first, second, value, low, high, p_value)


def _effective_pairs(x: Points, y: Points) -> float:
    """Return the effective number of pairs, never above the true one.

    Source: Bartlett 1935; ``n / (1 + 2 sum_k r_x(k) r_y(k))``.
    """
    product = correlations_of(x) * correlations_of(y)
    lags = max(positive_lags(product), 1)
    return len(x) / max(1.0, 1 + 2 * float(product[1:lags].sum()))


def _pearson(x: Points, y: Points) -> float:
    flat = min(_relative_spread(x), _relative_spread(y)) < 1e-9
    return math.nan if len(x) < 3 or flat else float(np.corrcoef(x, y)[0, 1])


def _relative_spread(values: Points) -> float:
    largest = float(np.abs(values).max(initial=0.0))
    return float(np.ptp(values)) / largest if largest else 0.0


def _adjusted(pairs: Sequence[Correlation]) -> list[Correlation]:
    if not pairs:
        return []
    adjusted = stats.false_discovery_control([pair.adjusted_p for pair in pairs])
    return [replace(pair, adjusted_p=float(q)) for pair, q in zip(pairs, adjusted, strict=True)]
