"""How much a score moves with the seed alone."""

import statistics
from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy.special import ndtr, stdtrit


def student_interval(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Return Student's 95 % interval of a mean; None for both ends with fewer than two values.

    Source: Student 1908, Biometrika 6(1).
    """
    if len(values) < 2:
        return None, None
    middle = statistics.fmean(values)
    error = statistics.stdev(values) / len(values) ** 0.5
    reach = error * float(stdtrit(len(values) - 1, 0.975))
    return middle - reach, middle + reach


@cache
def expected_maximum(count: int) -> float:
    """Return how far the best of ``count`` equal configurations stands above their mean.

    In standard deviations of a normally distributed score: the expected greatest of ``count``
    draws. A search over configurations that do not differ finds a winner this much better than
    the default, on the studies that it chose by.

    Source: David and Nagaraja 2003, Order Statistics, section 3.1.
    """
    x = np.linspace(-12.0, 12.0, 24001)
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    return float(np.trapezoid(x * count * density * ndtr(x) ** (count - 1), x))
