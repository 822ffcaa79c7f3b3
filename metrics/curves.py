"""Response curves: their tilt, their distances, and how evenly one becomes another."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


def spectral_tilt(
    curves: Float[np.ndarray, "curve point"], hz: Float[np.ndarray, " point"]
) -> Float[np.ndarray, " curve"]:
    """Return the slope of each curve, in dB an octave, by least squares over log frequency."""
    octave = np.log2(hz) - np.log2(hz).mean()
    return np.asarray(curves @ octave / (octave @ octave))


def distance_to_nearest(
    curves: Float[np.ndarray, "curve point"], known: Float[np.ndarray, "other point"]
) -> Float[np.ndarray, " curve"]:
    """Return the root mean squared difference, in dB, of each curve to the nearest known one."""
    return np.array([np.sqrt(((known - curve) ** 2).mean(axis=1)).min() for curve in curves])


def rms_difference(
    first: Float[np.ndarray, "curve point"], second: Float[np.ndarray, "curve point"]
) -> float:
    """Return the root mean squared difference of curves, pair by pair, in dB."""
    return float(np.sqrt(((first - second) ** 2).mean()))


@dataclass(frozen=True)
class Morph:
    """How the curves of a morph go from its first to its last."""

    spearman: float | None
    """Rank correlation of the share of the way with the tilt, signed so that 1 is a tilt that
    only goes the way from first to last; in a random order 0 on average."""
    monotone: float
    """Share of the steps in which the tilt moves that way; in a random order 0.5 on average."""
    first_error_db: float
    """Root mean squared difference of the first curve to the one it should be."""
    last_error_db: float
    """The same of the last."""


def morph_quality(
    curves: Float[np.ndarray, "step point"],
    hz: Float[np.ndarray, " point"],
    *,
    first: Float[np.ndarray, " point"],
    last: Float[np.ndarray, " point"],
) -> Morph:
    """Return how evenly curves lead from ``first`` to ``last``.

    Args:
        curves: The morph, both ends among them.
        hz: Frequency of each point.
        first: What the morph should begin with.
        last: What it should end with.
    """
    from scipy.stats import spearmanr  # here, because it takes a second

    tilt = spectral_tilt(curves, hz)
    wanted = spectral_tilt(np.stack([first, last]), hz)
    way = float(np.sign(wanted[1] - wanted[0]))
    rank = None
    if len(np.unique(tilt)) > 1:
        rank = way * float(spearmanr(np.arange(len(tilt)), tilt).statistic)
    return Morph(
        spearman=rank if rank is None or math.isfinite(rank) else None,
        monotone=float((way * np.diff(tilt) > 0).mean()),
        first_error_db=rms_difference(curves[:1], first[None]),
        last_error_db=rms_difference(curves[-1:], last[None]),
    )
