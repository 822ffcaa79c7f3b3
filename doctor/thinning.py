"""Long lines as means of stretches, so that a chart stays small."""

import numpy as np

MAX_POINTS = 150
"""A longer line is drawn as the means of so many stretches, in a band from least to greatest."""


def thinned(
    steps: np.ndarray,
    values: np.ndarray,
    low: np.ndarray | None = None,
    high: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return steps, means, least and greatest value of at most 150 stretches."""
    lows = values if low is None else np.minimum(low, values)
    highs = values if high is None else np.maximum(high, values)
    starts = np.arange(0, len(values), -(-len(values) // MAX_POINTS))
    sizes = np.diff(np.append(starts, len(values)))
    return (
        np.add.reduceat(steps, starts) / sizes,
        np.add.reduceat(values, starts) / sizes,
        np.minimum.reduceat(lows, starts),
        np.maximum.reduceat(highs, starts),
    )
