"""Whether probabilities are what they say, beside what chance does to probabilities that are."""

from typing import Final

import numpy as np
from jaxtyping import Bool, Float

from cinelex.metrics.bootstrap import percentiles

BINS: Final = 10
DRAWS: Final = 500
NEWTON_STEPS: Final = 50


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
    probability: Float[np.ndarray, " item"],
) -> tuple[float, float | None, float | None]:
    """Return what a model would score whose probabilities were true: mean and 95 % interval.

    Outcomes are drawn from the probabilities themselves.

    Source: Vaicenavicius et al. 2019, arXiv:1902.06977, section 5 (consistency resampling).
    """
    ordered = np.sort(probability)
    drawn = np.random.default_rng(0).random((DRAWS, len(ordered))) < ordered
    errors = _gaps(ordered, drawn.astype(np.float64), BINS)
    return float(errors.mean()), *percentiles(errors)


def _gaps(
    ordered: Float[np.ndarray, " item"], there: Float[np.ndarray, "draw item"], bins: int
) -> Float[np.ndarray, " draw"]:
    """Return the error of each draw of outcomes of items that are ordered by probability."""
    starts = np.unique(np.linspace(0, len(ordered), bins, endpoint=False).astype(int))
    return np.abs(np.add.reduceat(there - ordered, starts, axis=1)).sum(axis=1) / len(ordered)


def calibration_line(
    probability: Float[np.ndarray, " item"], there: Bool[np.ndarray, " item"]
) -> tuple[float, float]:
    """Return slope and intercept of the outcome's log odds over those of the probability.

    1 and 0 for a calibrated model; a slope below 1 is a model too sure of itself. NaN where one
    class is missing or the two are told apart without error, as there is then no such line.

    Source: Cox 1958, Biometrika 45(3/4).
    """
    clipped = probability.clip(1e-6, 1 - 1e-6)
    table = np.stack([np.log(clipped / (1 - clipped)), np.ones(len(clipped))], axis=1)
    line = np.zeros(2)
    if there.all() or not there.any():
        return float("nan"), float("nan")
    for _ in range(NEWTON_STEPS):
        expected = 1 / (1 + np.exp(-(table @ line).clip(-30, 30)))
        curvature = table.T @ (table * (expected * (1 - expected))[:, None])
        if np.linalg.cond(curvature) > 1e12:
            return float("nan"), float("nan")
        step = np.linalg.solve(curvature, table.T @ (there - expected))
        line = line + step
        if np.abs(step).max() < 1e-10:
            return float(line[0]), float(line[1])
    return float("nan"), float("nan")


def net_benefit(
    probability: Float[np.ndarray, " item"], there: Bool[np.ndarray, " item"], threshold: float
) -> float:
    """Return the net benefit of acting where the probability reaches a threshold, an item.

    True positives less false positives times the odds of the threshold. Acting on nobody is 0.

    Source: Vickers and Elkin 2006, Medical Decision Making 26(6).
    """
    acted = probability >= threshold
    odds = threshold / (1 - threshold)
    return float((acted & there).mean() - (acted & ~there).mean() * odds)


def reliability(
    probability: Float[np.ndarray, " item"], there: Bool[np.ndarray, " item"], *, bins: int = BINS
) -> list[tuple[float, float, int]]:
    """Return mean probability, share and count of bins of equal numbers of items."""
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return [
        (float(probability[part].mean()), float(there[part].mean()), len(part)) for part in parts
    ]
