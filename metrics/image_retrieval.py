"""Retrieval between images and their several captions, as CLIP_benchmark defines it.

Image to text: the rank of an image is that of the best of its captions among all captions. Text to
image: every caption is a query with one positive. Ties count against the query.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from cinelex.metrics.bootstrap import (
    Groups,
    interval,
    median,
    per_group,
    percentiles,
    resampled_sums,
)
from cinelex.metrics.ranking import Ranking, is_certain, rank_each_other
from cinelex.metrics.retrieval import Value, value_of
from cinelex.metrics.retrieval_nulls import RandomRanking, median_rank_chance
from cinelex.metrics.unit_rows import UnitRows

CUTOFFS = (1, 5, 10)
PRECISION_CUTOFF = 10
DIRECTIONS = ("image_to_text", "text_to_image")
Columns = dict[str, Float[np.ndarray, " image"]]


@dataclass(frozen=True)
class Outcomes:
    """What became of every query, image by image: the unit that intervals and tests resample."""

    rankings: Mapping[str, Ranking]
    """Both directions."""
    owner: Int[np.ndarray, " caption"]
    """The image of each caption."""

    @property
    def images(self) -> int:
        """Return the number of images."""
        return self.rankings["image_to_text"].queries

    def queries_per_image(self, direction: str) -> Float[np.ndarray, " image"]:
        """Return how many queries of a direction are an image's."""
        if direction == "image_to_text":
            return np.ones(self.images)
        return np.bincount(self.owner, minlength=self.images).astype(np.float64)

    def per_image(self, direction: str) -> Columns:
        """Return the mean over an image's queries of each metric: recall in [0, 1], and so on."""
        scores = scores_of(self.rankings[direction])
        if direction == "image_to_text":
            return scores
        captions = self.queries_per_image(direction)
        return {
            name: np.bincount(self.owner, weights=values, minlength=self.images) / captions
            for name, values in scores.items()
        }


def rank_images_and_captions(
    image: Float[Tensor, "image dim"],
    caption: Float[Tensor, "caption dim"],
    owner: Int[Tensor, " caption"],
) -> Outcomes:
    """Rank all captions for every image and all images for every caption, by cosine.

    Args:
        image: One embedding an image.
        caption: One embedding a caption.
        owner: The image of each caption; every image has one or more.

    Raises:
        ValueError: A row is not finite or zero, or an image has no caption.
    """
    images, captions = UnitRows(image, what="image"), UnitRows(caption, what="caption")
    rankings = rank_each_other(
        images, captions, query_group=torch.arange(len(image)), item_group=owner
    )
    return Outcomes(dict(zip(DIRECTIONS, rankings, strict=True)), owner.cpu().numpy())


def scores_of(ranking: Ranking) -> dict[str, Float[np.ndarray, " query"]]:
    """Return recall at 1, 5, 10, AP@10, and the rank of the best positive, of every query.

    AP@10 is the sum of the precisions at the positives among the first 10, over min(R, 10).
    """
    best = ranking.best.astype(np.float64)
    scores = {f"recall_at_{k}": (best <= k).astype(np.float64) for k in CUTOFFS}
    inside = ranking.rank <= PRECISION_CUTOFF
    gain = np.where(inside, ranking.order / ranking.rank, 0.0)
    sums = np.bincount(ranking.query, weights=gain, minlength=ranking.queries)
    scores["ap_at_10"] = sums / np.minimum(ranking.positives, PRECISION_CUTOFF)
    scores["mean_rank"] = best
    return scores


def chance_of(ranking: Ranking) -> dict[str, float]:
    """Return what a random order of the gallery is expected to score."""
    kinds, queries = np.unique(ranking.positives, return_counts=True)
    share = queries / queries.sum()
    nulls = [RandomRanking(ranking.gallery, kind) for kind in kinds.tolist()]
    chance = {
        f"recall_at_{k}": float(share @ [null.recall_at(k) for null in nulls]) for k in CUTOFFS
    }
    return chance | {
        "ap_at_10": float(share @ [average_precision_chance(null) for null in nulls]),
        "mean_rank": float(share @ [null.rank() for null in nulls]),
        "median_rank": median_rank_chance(ranking.gallery, ranking.positives),
    }


def average_precision_chance(null: RandomRanking) -> float:
    """Return the expected AP@10 of a random order.

    Place k holds a positive with probability R/M, and then (k-1)(R-1)/(M-1) more stand before it.
    """
    ranks = np.arange(1, min(PRECISION_CUTOFF, null.gallery) + 1)
    others = (ranks - 1) * (null.positives - 1) / max(1, null.gallery - 1)
    hits = null.positives / null.gallery * (1 + others) / ranks
    return float(hits.sum() / min(null.positives, PRECISION_CUTOFF))


def image_retrieval_report(
    outcomes: Outcomes, *, groups: Groups | None = None, resamples: int = 1000, seed: int = 0
) -> dict[str, dict[str, Value]]:
    """Return every metric of both directions, and RSUM, with chance and 95 % interval.

    Intervals resample images, with all captions of each: captions of one image are not independent;
    ``groups``, such as the patient of each image, are drawn with all their images. RSUM is the sum
    of the six recalls in percent, from 0 to 600. ``median_rank`` is numpy's, over queries. Where
    each query owns the whole gallery, any order is right and nothing has a value.
    """
    report: dict[str, dict[str, Value]] = {}
    columns: list[Float[np.ndarray, " image"]] = []
    chance_sum = 0.0
    for direction in DIRECTIONS:
        ranking, chance = outcomes.rankings[direction], chance_of(outcomes.rankings[direction])
        queries = outcomes.queries_per_image(direction)
        table = outcomes.per_image(direction)
        report[direction] = {
            name: _entry(values, queries, chance[name], groups, resamples, seed)
            for name, values in table.items()
        }
        ranks = ranking.best.astype(np.float64)
        if direction == "image_to_text":
            together = groups
        else:
            together = outcomes.owner if groups is None else groups[outcomes.owner]
        report[direction]["median_rank"] = value_of(
            float(np.median(ranks)),
            chance["median_rank"],
            _median_interval(ranks, together, resamples=resamples, seed=seed),
        )
        if is_certain(ranking):
            report[direction] = {
                name: value_of(None, entry["chance"], (None, None))
                for name, entry in report[direction].items()
            }
        recalls = [table[f"recall_at_{k}"] * queries for k in CUTOFFS]
        columns += [np.sum(recalls, axis=0), queries]
        chance_sum += sum(chance[f"recall_at_{k}"] for k in CUTOFFS)
    rsum = _rsum(np.stack(columns, 1), chance_sum, groups, resamples, seed)
    if all(is_certain(ranking) for ranking in outcomes.rankings.values()):
        rsum = value_of(None, rsum["chance"], (None, None))
    report["both"] = {"rsum": rsum}
    return report


def _entry(
    values: Float[np.ndarray, " image"],
    queries: Float[np.ndarray, " image"],
    chance: float,
    groups: Groups | None,
    resamples: int,
    seed: int,
) -> Value:
    counts = per_group(np.stack([values * queries, queries], 1), groups)
    drawn = resampled_sums(counts, resamples=resamples, seed=seed)
    ends = percentiles(drawn[:, 0] / drawn[:, 1]) if len(counts) > 1 else (None, None)
    return value_of(float((values * queries).sum() / queries.sum()), chance, ends)


def _rsum(
    columns: Float[np.ndarray, "image 4"],
    chance: float,
    groups: Groups | None,
    resamples: int,
    seed: int,
) -> Value:
    columns = per_group(columns, groups)
    total = columns.sum(axis=0)
    drawn = resampled_sums(columns, resamples=resamples, seed=seed)
    ends = percentiles(100 * (drawn[:, 0] / drawn[:, 1] + drawn[:, 2] / drawn[:, 3]))
    value = 100 * float(total[0] / total[1] + total[2] / total[3])
    return value_of(value, 100 * chance, ends if len(columns) > 1 else (None, None))


def _median_interval(
    ranks: Float[np.ndarray, " query"],
    groups: Int[np.ndarray, " query"] | None,
    *,
    resamples: int,
    seed: int,
) -> tuple[float | None, float | None]:
    """Return the interval of the median over queries, resampled with whole groups."""
    if groups is None:
        return interval(ranks, statistic=median, resamples=resamples, seed=seed)
    members = [ranks[groups == group] for group in np.unique(groups)]
    if len(members) < 2:
        return None, None
    random = np.random.default_rng(seed)
    drawn = [
        float(np.median(np.concatenate([members[g] for g in chosen])))
        for chosen in random.integers(0, len(members), size=(resamples, len(members)))
    ]
    return percentiles(np.array(drawn))
