"""Whether two sets of samples differ by more than a random split of the same patients would."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from cinelex.core.randomness import numpy_generator

MAX_VALUES = 20
"""Values of a category that are told apart, the most frequent ones; the others are one."""
DRAWS = 999


@dataclass(frozen=True, kw_only=True)
class Drift:
    """How far held-out samples are from those of training, in one attribute."""

    distance: float
    """Of a category, half the sum of the differences of its shares: 0 for equal ones, 1 where no
    value is shared. Of a number, the same between above and below the median of all."""
    p_value: float
    """Share of random splits of the patients that are as far apart, or further."""


def drift(
    values: Float[np.ndarray, "sample value"],
    held_out: Bool[np.ndarray, " sample"],
    patients: Int[np.ndarray, " sample"],
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Drift:
    """Return how far apart two sets are, and how often chance puts them further apart.

    Patients change sides as a whole: studies of one patient are alike.

    Args:
        values: An indicator of each value, or of each part of a number's range.
        held_out: On which side each sample is.
        patients: Equal numbers for samples of one patient.
        draws: Random splits.
        seed: The same seed gives the same p-value.
    """
    whose, member = np.unique(patients, return_inverse=True)
    counts = np.zeros((len(whose), values.shape[1]))
    np.add.at(counts, member, values)
    side: Bool[np.ndarray, " patient"] = np.zeros(len(whose), dtype=bool)
    side[member[held_out]] = True
    own = _distance(side[None].astype(np.float64), counts)[0]
    draw = numpy_generator("drift between splits", seed)
    sides = np.stack([draw.permutation(side) for _ in range(draws)]).astype(np.float64)
    above = int((_distance(sides, counts) >= own - 1e-12).sum())
    return Drift(distance=float(own), p_value=(1 + above) / (1 + draws))


def indicators(names: list[str]) -> Float[np.ndarray, "sample value"]:
    """Return an indicator of each value of a category; a sample without one has none."""
    known, codes, sizes = np.unique(np.array(names), return_inverse=True, return_counts=True)
    order = np.argsort(-sizes, kind="stable")
    column = np.empty(len(known), dtype=np.int64)
    column[order] = np.minimum(np.arange(len(known)), MAX_VALUES)
    told = (column[codes][:, None] == np.arange(min(len(known), MAX_VALUES + 1))).astype(np.float64)
    return told * (np.array(names) != "")[:, None]


def parts(numbers: Float[np.ndarray, " sample"]) -> Float[np.ndarray, "sample value"]:
    """Return whether each number is above the median, and whether it is not; NaN is neither."""
    known = np.isfinite(numbers)
    above = numbers > (np.median(numbers[known]) if known.any() else 0.0)
    return np.stack([known & above, known & ~above], axis=1).astype(np.float64)


def _distance(
    sides: Float[np.ndarray, "draw patient"], counts: Float[np.ndarray, "patient value"]
) -> Float[np.ndarray, " draw"]:
    held_out = sides @ counts
    train = counts.sum(axis=0) - held_out
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = [side / side.sum(axis=1, keepdims=True) for side in (held_out, train)]
    return np.nan_to_num(np.abs(shares[0] - shares[1]).sum(axis=1) / 2)
