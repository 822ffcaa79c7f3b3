"""ROUGE-1, ROUGE-2 and ROUGE-L of pairs of reports: as the package rouge-score, and of any script.

Written out because importing that package costs seconds (it imports NLTK) and its table for
the longest common subsequence is slow; the tests hold the two equal.
"""

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Final

import numpy as np
from jaxtyping import Float

from cinelex.core.scripts import words

NAMES: Final = ("rouge1", "rouge2", "rougeL")
VARIANT: Final = "mean over studies of the F-measure, rouge-score 0.1.2 without stemmer, in [0, 1]"
UNICODE: Final = "mean over studies of the F-measure, words of every script, in [0, 1]"

_WORD: Final = re.compile(r"[a-z0-9]+")


def rouge(reference: str, candidate: str) -> Float[np.ndarray, " rouge"]:
    """Return the F-measures of ROUGE-1, ROUGE-2 and ROUGE-L, in [0, 1], of one pair.

    Words are runs of a-z and 0-9 of the lower-case text, so "70%" and "70 percent" share one;
    letters of other scripts are nothing, as in rouge-score. ROUGE-L takes the report as one
    sequence (not summary-level "Lsum").

    Source: Lin 2004, "ROUGE: a package for automatic evaluation of summaries".
    """
    return _of_words(_WORD.findall(reference.lower()), _WORD.findall(candidate.lower()))


def rouge_unicode(reference: str, candidate: str) -> Float[np.ndarray, " rouge"]:
    """Return the same of the words of any script; equal to `rouge` for texts of ASCII."""
    return _of_words(words(reference), words(candidate))


def _of_words(ours: Sequence[str], theirs: Sequence[str]) -> Float[np.ndarray, " rouge"]:
    grams = [(Counter(_ngrams(ours, n)), Counter(_ngrams(theirs, n))) for n in (1, 2)]
    shared = [(a & b).total() for a, b in grams]
    scores = [
        _f_measure(hits, a.total(), b.total()) for hits, (a, b) in zip(shared, grams, strict=True)
    ]
    scores.append(_f_measure(common_subsequence(ours, theirs), len(ours), len(theirs)))
    return np.array(scores, dtype=np.float64)


def common_subsequence(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    """Return the length of the longest common subsequence.

    Source: Hyyro 2004, "Bit-parallel LCS-length computation revisited" (one row of the table is
    one integer).
    """
    positions: dict[Hashable, int] = {}
    for position, word in enumerate(one):
        positions[word] = positions.get(word, 0) | 1 << position
    full = (1 << len(one)) - 1
    row = full
    for word in other:
        hits = row & positions.get(word, 0)
        row = ((row + hits) | (row - hits)) & full
    return len(one) - row.bit_count()


def _ngrams(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[start : start + n]) for start in range(len(words) - n + 1)]


def _f_measure(hits: int, reference: int, candidate: int) -> float:
    return 2 * hits / (reference + candidate) if hits else 0.0
