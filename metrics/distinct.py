"""How varied captions are among themselves: a captioner that repeats itself says few n-grams."""

from collections.abc import Sequence
from typing import Final

from cinelex.metrics.cider import words

VARIANT: Final = "different n-grams over all n-grams of all captions, words 13a|lc, in [0, 1]"


def distinct(captions: Sequence[str], n: int) -> float:
    """Return the share of different n-grams of words: 1 where none repeats, 0 where there is none.

    It falls as captions become more, so that only equally many are to be compared.

    Source: Li et al. 2016, arXiv:1510.03055, section 5.2 (distinct-1 and distinct-2).
    """
    grams = [
        tuple(text[start : start + n])
        for text in map(words, captions)
        for start in range(len(text) - n + 1)
    ]
    return len(set(grams)) / len(grams) if grams else 0.0
