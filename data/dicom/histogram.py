"""How often each stored code occurs in a cine, as far as percentiles near its ends ask for."""

import math
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Final

import numpy as np
from jaxtyping import Int

Codes = np.ndarray[Any, np.dtype[Any]]
MAX_COUNTED: Final = 1_000_000
"""Pixels that are counted."""
INNER: Final = 0.01
"""Share of the pixels, at either end, that is counted code by code."""
ROWS, COLUMNS = 16, 8
"""Of the pixels that are counted, those from which the ends are guessed: every 16th row of them,
every 8th column."""


def histogram(runs: Sequence[Codes], codes: int) -> Int[np.ndarray, " code"]:
    """Return how often each code occurs, in every n-th row of a cine of many millions of pixels."""
    counts = np.zeros(codes, np.int64)
    for frame in _frames(runs, _every(runs)):
        found = np.bincount(frame.ravel())  # as long as the highest code asks for
        counts[: len(found)] += found
    return counts


def ends(
    runs: Sequence[Codes], codes: int, *, stored: int, shares: tuple[float, float]
) -> Int[np.ndarray, " code"] | None:
    """Return `histogram`, in which one code has the counts of a whole range of others.

    No share of the pixels ends within that range, so that percentiles are as they were: three
    quarters of the time go, for comparing is many times as fast as counting.

    Args:
        runs: Frames, whose codes rise with what they stand for.
        codes: How many codes there can be.
        stored: How many of them are gray levels; others have bits that mean something else.
        shares: Of the pixels, below 0.5 and above it.

    Returns:
        The counts; None where they do not tell, as in a cine of few gray levels.
    """
    every = _every(runs)
    some = [frame[:, ::COLUMNS] for frame in _frames(runs, ROWS * every)]
    few = np.sort(np.concatenate(some, axis=None))
    low, high = few[int(INNER * len(few))], few[-1 - int(INNER * len(few))]
    outer, total = [], 0
    for frame in _frames(runs, every):
        total += frame.size
        outer.append(frame[(frame - low) > high - low])  # unsigned: what is below wraps around
    counts = np.bincount(np.concatenate(outer), minlength=codes)
    below, above = counts[:low].sum(), counts[high:].sum()
    counts[low] = total - below - above
    known = below > shares[0] * total and above > (1 - shares[1]) * total
    return counts if known and not counts[stored:].any() else None


def _every(runs: Sequence[Codes]) -> int:
    return math.ceil(sum(run.size for run in runs) / MAX_COUNTED)


def _frames(runs: Sequence[Codes], every: int) -> Iterator[Codes]:
    return (frame[::every] for frame in chain.from_iterable(runs))
