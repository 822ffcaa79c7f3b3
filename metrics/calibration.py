"""Whether probabilities are what they say, beside what chance does to probabilities that are."""

from typing import Final

import numpy as np
from jaxtyping import Bool, Float

from cinelex.metrics.bootstrap import percentiles

BINS: Final = 10
DRAWS: Final = 500


def calibration_error(
    probability: Float[np.ndarray, " item"], there: Bool[np.ndarray, " item"], *, bins: int = BINS
) -> float:
    """Return the mean gap between probability and share, over bins of equal numbers of items.

    Even a calibrated model does not score 0, by chance: see `calibrated_error`.

    Source: Naeini et al. 2015, AAAI, section "Calibration metrics" (ECE); equal numbers, so that no
    bin is empty.
    """
    order = np.argsort(probability, kind="stable")
    return float(_gaps(probability[order], there[order][None].astype(np.float64), bins)[0])


def calibrated_error(
    probability: Float[np.ndarray, " item"], *, bins: int = BINS, seed: int = 0
) -> tuple[float, float | None, float | None]:
    """Return what a model would score whose probabilities were true: mean and 95 % interval.

    Outcomes are drawn from the probabilities themselves.

    Source: Vaicenavicius et al. 2019, arXiv:1902.06977, section 5 (consistency resampling).
    """
    ordered = np.sort(probability)
    drawn = np.random.default_rng(seed).random((DRAWS, len(ordered))) < ordered
    errors = _gaps(ordered, drawn.astype(np.float64), bins)
    return float(errors.mean()), *percentiles(errors)


def _gaps(
    ordered: Float[np.ndarray, " item"], there: Float[np.ndarray, "draw item"], bins: int
) -> Float[np.ndarray, " draw"]:
    """Return the error of each draw of outcomes of items that are ordered by probability."""
    starts = np.unique(np.linspace(0, len(ordered), bins, endpoint=False).astype(int))
    return np.abs(np.add.reduceat(there - ordered, starts, axis=1)).sum(axis=1) / len(ordered)
