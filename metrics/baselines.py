"""What a captioner that never looks at a study would say."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from cinelex.core.randomness import numpy_generator
from cinelex.core.scripts import words
from cinelex.metrics.facts.lesions import lesions_of
from cinelex.metrics.facts.parse import read

_MAX_CANDIDATES: Final = 256
_MAX_REPORTS: Final = 2048


def constant_normal_caption(reports: Sequence[str]) -> str:
    """Return the normal report that does best as the caption of every study.

    Of the training reports that name no lesion (of all, if each names one) it is the one with the
    best mean unigram F-measure (ROUGE-1, words of every script) against the training reports: the
    hardest constant to beat among normal ones, chosen without a look at the reports that are
    scored. At most 256 candidates and 2,048 reports, evenly spaced, are compared; the first of
    equals is taken.

    Raises:
        ValueError: there is no report.
    """
    if not reports:
        raise ValueError("a constant caption needs at least one training report")
    normal = [report for report in dict.fromkeys(reports) if _is_normal(report)]
    candidates = _evenly(normal or list(dict.fromkeys(reports)), _MAX_CANDIDATES)
    against = _evenly(reports, _MAX_REPORTS)
    column: dict[str, int] = {}
    for report in (*candidates, *against):
        for word in words(report):
            column.setdefault(word, len(column))
    theirs, ours = _bags(against, column), _bags(candidates, column)
    lengths = theirs.sum(axis=1)
    means = [
        np.mean(2 * np.minimum(bag, theirs).sum(axis=1) / np.maximum(bag.sum() + lengths, 1))
        for bag in ours
    ]
    return candidates[int(np.argmax(means))]


def shuffled(texts: Sequence[str], *, seed: int) -> list[str]:
    """Return the texts in an order, drawn by the seed, in which none keeps its position.

    Equal texts may still meet: that is the credit a prior deserves.

    Raises:
        ValueError: there are fewer than two texts.

    Source: Sattolo 1986, "An algorithm to generate a random cyclic permutation".
    """
    if len(texts) < 2:
        raise ValueError("shuffling needs at least two texts")
    generator = numpy_generator("shuffled captions", seed)
    order = list(range(len(texts)))
    for last in range(len(order) - 1, 0, -1):
        other = int(generator.integers(last))
        order[last], order[other] = order[other], order[last]
    return [texts[index] for index in order]


def _is_normal(report: str) -> bool:
    lesions = lesions_of(read(report))
    return not lesions.positive and not lesions.numbers


def _evenly(texts: Sequence[str], max_texts: int) -> list[str]:
    if len(texts) <= max_texts:
        return list(texts)
    return [texts[int(index)] for index in np.linspace(0, len(texts) - 1, max_texts)]


def _bags(reports: Sequence[str], column: dict[str, int]) -> np.ndarray:
    """Count the words of each report."""
    bags = np.zeros((len(reports), len(column)), dtype=np.int32)
    for row, report in zip(bags, reports, strict=True):
        np.add.at(row, [column[word] for word in words(report)], 1)
    return bags
