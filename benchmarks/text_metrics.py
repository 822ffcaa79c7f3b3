"""P8 and its growth: ROUGE and CIDEr-D of long reports, beside the packages that define them.

python -m benchmarks.text_metrics [--quick]
"""

import statistics
import sys
from functools import partial

import numpy as np

from benchmarks.series import Row, Way, main, of, ratio_of, seconds, take_turns, time_growth
from cinelex.metrics.cider import cider_d
from cinelex.metrics.rouge import NAMES, rouge

WORDS = [
    "right",
    "dominant",
    "circulation",
    "mild",
    "moderate",
    "severe",
    "stenosis",
    "of",
    "the",
    "proximal",
    "mid",
    "distal",
    "left",
    "anterior",
    "descending",
    "artery",
    "circumflex",
    "no",
    "significant",
    "disease",
    "collateral",
    "flow",
    "ostial",
    "lesion",
]
LENGTH = 120
"""Words of a report."""


def reports(count: int) -> tuple[list[str], list[str]]:
    """Return reports, and candidates that share two words of three with them in their places."""
    draw = np.random.default_rng(count)
    drawn = draw.choice(WORDS, size=(2, count, LENGTH))
    kept = draw.random((count, LENGTH)) < 2 / 3
    return tuple(  # type: ignore[return-value]
        [" ".join(row) for row in rows] for rows in (drawn[0], np.where(kept, *drawn))
    )


def our_rouge(truth: list[str], said: list[str]) -> list[float]:
    """Return the three means."""
    return list(np.mean([rouge(*pair) for pair in zip(truth, said, strict=True)], axis=0))


def peers_rouge(truth: list[str], said: list[str]) -> list[float]:
    """Return the three means of rouge-score."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(list(NAMES))
    found = [scorer.score(*pair) for pair in zip(truth, said, strict=True)]
    return [statistics.fmean(one[name].fmeasure for one in found) for name in NAMES]


def our_cider(truth: list[str], said: list[str]) -> list[float]:
    """Return the mean."""
    return [float(cider_d(truth, said).mean())]


def peers_cider(truth: list[str], said: list[str]) -> list[float]:
    """Return the mean of pycocoevalcap."""
    from pycocoevalcap.cider.cider_scorer import CiderScorer

    scorer = CiderScorer()
    for ours, theirs in zip(said, truth, strict=True):
        scorer += (ours, [theirs])
    return [float(scorer.compute_score()[0])]


WAYS = {
    "ROUGE-1, ROUGE-2, ROUGE-L": (our_rouge, peers_rouge, "rouge-score", 1 / 10),
    "CIDEr-D": (our_cider, peers_cider, "pycocoevalcap", 1.0),
}


def compare(name: str, count: int, *, rounds: int) -> Row:
    """Compare the values, then the time."""
    ours, peers, package, goal = WAYS[name]
    given = reports(count)
    np.testing.assert_allclose(ours(*given), peers(*given), atol=1e-9)
    ways: dict[str, Way] = {"ours": partial(ours, *given), "peer": partial(peers, *given)}
    taken = take_turns(ways, rounds=rounds)
    return Row(
        number="P8",
        what=f"{name} of {count:,} pairs of {LENGTH} words",
        figure=seconds(taken["ours"]),
        beside=f"{of(package)} {seconds(taken['peer'])}",
        ratio=ratio_of(taken, "ours", "peer"),
        goal=goal,
    )


def rows(quick: bool) -> list[Row]:
    """Measure all."""
    count, rounds = (100, 3) if quick else (10_000, 3)
    return [row for name in WAYS for row in _both(name, count, rounds)]


def _both(name: str, count: int, rounds: int) -> list[Row]:
    ours = {size: partial(WAYS[name][0], *reports(size)) for size in (count // 4, count)}
    grown = time_growth(f"{name}, pairs", ours, rounds=rounds)
    return [compare(name, count, rounds=rounds), grown]


if __name__ == "__main__":
    sys.exit(main(rows, "benchmarks.text_metrics"))
