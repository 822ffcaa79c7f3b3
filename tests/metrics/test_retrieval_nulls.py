"""The nulls of rankings against simulated random rankings."""

import numpy as np
import pytest

from cinelex.metrics.retrieval_nulls import (
    RandomRanking,
    median_rank_chance,
)

CASES = [(1, 1), (12, 1), (12, 3), (13, 12), (9, 9), (40, 7)]


def _simulated_ranks(gallery: int, positives: int, draws: int = 60_000) -> np.ndarray:
    """Return the places of the positives, ascending, in random orders of the gallery."""
    keys = np.random.default_rng(2).random((draws, gallery))
    return np.sort(keys.argsort(axis=1)[:, :positives] + 1, axis=1)


@pytest.mark.parametrize(("gallery", "positives"), CASES)
def test_random_rankings_score_the_closed_forms(gallery: int, positives: int) -> None:
    ranks, null = _simulated_ranks(gallery, positives), RandomRanking(gallery, positives)
    best = ranks[:, 0]
    for k in (1, 5, 10, 50):
        assert null.recall_at(k) == pytest.approx((best <= k).mean(), abs=0.01)
    assert null.reciprocal_rank() == pytest.approx((1 / best).mean(), abs=0.01)
    assert null.rank() == pytest.approx(best.mean(), rel=0.01)
    discount = 1 / np.log2(1 + np.arange(1, gallery + 1))
    ndcg = discount[ranks - 1].sum(1) / discount[:positives].sum()
    assert null.ndcg() == pytest.approx(ndcg.mean(), abs=0.005)
    precision = np.arange(1, positives + 1) / ranks
    assert null.average_precision() == pytest.approx(precision.mean(), abs=0.005)


@pytest.mark.parametrize(("gallery", "positives"), CASES)
def test_the_places_of_the_first_positive_are_a_distribution(gallery: int, positives: int) -> None:
    share = RandomRanking(gallery, positives).first_rank()
    assert share.sum() == pytest.approx(1.0)
    assert (share >= 0).all()
    assert float((share * np.arange(1, gallery + 1)).sum()) == pytest.approx(
        RandomRanking(gallery, positives).rank()
    )


def test_one_positive_gives_the_textbook_values() -> None:
    assert RandomRanking(100).recall_at(5) == pytest.approx(0.05)
    assert RandomRanking(3).recall_at(5) == 1.0
    assert RandomRanking(100).rank() == 50.5
    assert median_rank_chance(100, np.ones(8, dtype=np.int64)) == 50.5
    assert median_rank_chance(101, np.ones(8, dtype=np.int64)) == 51.0
    assert median_rank_chance(1, np.ones(3, dtype=np.int64)) == 1.0
    null = RandomRanking(100)
    assert null.average_precision() == pytest.approx(null.reciprocal_rank(), abs=1e-12)


def test_the_median_of_mixed_queries_is_that_of_the_simulation() -> None:
    positives = np.array([1, 1, 4, 4, 4, 10])
    drawn = [_simulated_ranks(60, count, 40_000)[:, 0] for count in positives.tolist()]
    assert median_rank_chance(60, positives) == np.median(np.concatenate(drawn))


def test_large_galleries_neither_overflow_nor_lose_precision() -> None:
    null = RandomRanking(100_000, 20_000)
    assert null.recall_at(50) == pytest.approx(1 - 0.8**50, abs=1e-6)
    assert null.reciprocal_rank() == pytest.approx(0.4024, abs=1e-3)
    assert RandomRanking(100_000).recall_at(1) == pytest.approx(1e-5)


@pytest.mark.parametrize("positives", [0, 6])
def test_positives_that_do_not_fit_are_refused(positives: int) -> None:
    with pytest.raises(ValueError, match="in a gallery of 5"):
        RandomRanking(5, positives)


def test_a_median_needs_a_query() -> None:
    with pytest.raises(ValueError, match="no queries"):
        median_rank_chance(5, np.zeros(0, dtype=np.int64))
