"""Retrieval numbers by hand, by brute force, and by other libraries."""

import math
from collections.abc import Mapping

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, ndcg_score
from torchmetrics.functional.retrieval import (
    retrieval_average_precision,
    retrieval_hit_rate,
    retrieval_normalized_dcg,
    retrieval_reciprocal_rank,
)

from cinelex.metrics.ranking import rank_each_other
from cinelex.metrics.retrieval import (
    rank_both_ways,
    retrieval_report,
    scores_per_query,
)
from cinelex.metrics.unit_rows import UnitRows
from tests.metrics.towers import random_towers

BOTH = ("study_to_report", "report_to_study")


def _score_rows(direction: str) -> tuple[np.ndarray, np.ndarray, Mapping[str, np.ndarray]]:
    """Return float64 cosines, truth, and our per-query scores of a random case."""
    study, report, own = random_towers()
    unit = [rows.double() / rows.double().norm(dim=1, keepdim=True) for rows in (study, report)]
    scores, truth = (unit[0] @ unit[1].T).numpy(), (own[:, None] == torch.arange(25)).numpy()
    ours = scores_per_query(rank_both_ways(study, report, own)[direction])
    return (scores, truth, ours) if direction == BOTH[0] else (scores.T, truth.T, ours)


def _field(
    result: Mapping[str, Mapping[str, object]], direction: str, metric: str
) -> dict[str, float]:
    entry = result[direction][metric]
    assert isinstance(entry, dict)
    return entry


def test_by_hand() -> None:
    study = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
    report = torch.tensor([[1.0, 0.1], [0.1, 1.0]])
    rankings = rank_both_ways(study, report, torch.tensor([0, 0, 1]))
    assert rankings["study_to_report"].rank.tolist() == [1, 2, 1]
    assert rankings["report_to_study"].query.tolist() == [0, 0, 1]
    assert rankings["report_to_study"].rank.tolist() == [1, 2, 1]
    scores = scores_per_query(rankings["study_to_report"])
    assert scores["recall_at_1"].tolist() == [1, 0, 1]
    assert scores["mrr"].tolist() == [1, 0.5, 1]
    assert scores["ndcg"].tolist() == pytest.approx([1, 1 / math.log2(3), 1])


def test_places_of_several_positives_by_hand() -> None:
    angles = torch.tensor([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
    gallery = torch.stack([angles.cos(), angles.sin()], dim=1)
    ranking, _ = rank_each_other(
        UnitRows(gallery[[0, 1]], what="query"),
        UnitRows(gallery, what="item"),
        query_group=torch.tensor([7, 3]),
        item_group=torch.tensor([3, 7, 3, 7, 7, 3]),
    )
    assert ranking.rank[ranking.query == 0].tolist() == [2, 4, 5]
    scores = scores_per_query(ranking)
    assert scores["map"][0] == pytest.approx((1 / 2 + 2 / 4 + 3 / 5) / 3)


def test_equal_embeddings_rank_last_not_first() -> None:
    same = torch.ones(12, 5) / 3
    own = torch.arange(6).repeat(2)
    rankings = rank_both_ways(same, same[:6], own)
    assert rankings["study_to_report"].rank.tolist() == [6] * 12
    assert rankings["report_to_study"].best.tolist() == [11] * 6
    assert rankings["report_to_study"].rank.tolist() == [11, 12] * 6
    result = retrieval_report(same, same[:6], own)
    for direction in BOTH:
        assert _field(result, direction, "recall_at_1")["value"] == 0.0
        assert _field(result, direction, "recall_at_5")["value"] == 0.0


@pytest.mark.parametrize("direction", BOTH)
def test_every_query_agrees_with_scikit_learn(direction: str) -> None:
    scores, truth, ours = _score_rows(direction)
    for row in range(len(scores)):
        wanted = average_precision_score(truth[row], scores[row])
        assert ours["map"][row] == pytest.approx(wanted, abs=1e-12)
        wanted = ndcg_score(truth[row : row + 1].astype(float), scores[row : row + 1])
        assert ours["ndcg"][row] == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("direction", BOTH)
def test_every_query_agrees_with_torchmetrics_on_scores_above_zero(direction: str) -> None:
    scores, truth, ours = _score_rows(direction)
    shifted = torch.from_numpy(scores + 2.0)  # torchmetrics counts scores <= 0 as misses
    for row, (values, own) in enumerate(zip(shifted, torch.from_numpy(truth), strict=True)):
        assert ours["mrr"][row] == pytest.approx(float(retrieval_reciprocal_rank(values, own)))
        assert ours["map"][row] == pytest.approx(float(retrieval_average_precision(values, own)))
        single = float(retrieval_normalized_dcg(values, own))  # computed there in float32
        assert ours["ndcg"][row] == pytest.approx(single, abs=1e-6)
        for k in (1, 5, 10):
            hit = float(retrieval_hit_rate(values, own, top_k=k))
            assert ours[f"recall_at_{k}"][row] == hit


def test_random_embeddings_score_chance() -> None:
    study, report, own = random_towers(studies=1500, reports=400, dim=64, signal=0.0)
    result = retrieval_report(study, report, own, resamples=200)
    for direction in BOTH:
        for metric in (
            "recall_at_10",
            "recall_at_50",
            "mrr",
            "mean_rank",
            "ndcg",
            "map",
            "median_rank",
        ):
            entry = _field(result, direction, metric)
            width = entry["high"] - entry["low"]
            assert abs(entry["value"] - entry["chance"]) < 1.5 * width, (direction, metric)
    gap = result["cosine_gap"]
    assert gap["low"] is not None
    assert abs(float(str(gap["value"]))) < 0.02


def test_a_perfect_model_scores_one_and_still_shows_chance() -> None:
    table = torch.eye(20)
    result = retrieval_report(table, table, torch.arange(20))
    for direction in BOTH:
        assert _field(result, direction, "recall_at_1") == {
            "value": 1.0,
            "chance": pytest.approx(0.05),
            "low": pytest.approx(0.025 ** (1 / 20)),
            "high": 1.0,
        }
        assert _field(result, direction, "median_rank")["value"] == 1.0
        assert _field(result, direction, "median_rank")["chance"] == 10.5
        assert _field(result, direction, "recall_at_50")["value"] is None
        assert _field(result, direction, "recall_at_50")["chance"] == 1.0
    assert result["gallery"] == {"study_to_report": 20, "report_to_study": 20}
    assert result["positive_cosine"]["value"] == pytest.approx(1.0)
    assert result["negative_cosine"]["value"] == pytest.approx(0.0)
    assert result["cosine_gap"]["value"] == pytest.approx(1.0)


def test_cosines_equal_their_definition() -> None:
    study, report, own = random_towers()
    cosine = torch.nn.functional.cosine_similarity(
        study.double()[:, None], report.double()[None], dim=2
    )
    truth = own[:, None] == torch.arange(25)
    result = retrieval_report(study, report, own, resamples=50)
    assert result["positive_cosine"]["value"] == pytest.approx(
        cosine[truth].mean().item(), abs=1e-7
    )
    assert result["negative_cosine"]["value"] == pytest.approx(
        cosine[~truth].mean().item(), abs=1e-7
    )


def test_one_study_is_undefined_and_never_a_silent_hundred_percent() -> None:
    result = retrieval_report(torch.ones(1, 4), torch.ones(1, 4), torch.tensor([0]))
    for direction in BOTH:
        for entry in result[direction].values():
            assert isinstance(entry, dict)
            assert entry["value"] is None
            assert entry["low"] is None
    assert result["cosine_gap"]["value"] is None
    assert result["positive_cosine"] == {
        "value": pytest.approx(1.0),
        "chance": 0.0,
        "low": None,
        "high": None,
    }


def test_two_studies_of_one_report_say_nothing_either() -> None:
    result = retrieval_report(torch.eye(2), torch.ones(1, 2), torch.tensor([0, 0]))
    assert _field(result, "report_to_study", "mrr")["value"] is None
    assert _field(result, "study_to_report", "mrr")["value"] is None


def test_the_same_seed_gives_the_same_report() -> None:
    study, report, own = random_towers()
    assert retrieval_report(study, report, own, seed=1) == retrieval_report(
        study, report, own, seed=1
    )


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_embeddings_that_are_not_finite_are_refused_by_row(value: float) -> None:
    study, report, own = random_towers()
    study[17, 2] = value
    with pytest.raises(ValueError, match=r"study: 1 of 60 rows \(first: \[17\]\) are not finite"):
        retrieval_report(study, report, own)


def test_rows_without_a_direction_are_refused() -> None:
    study, report, own = random_towers()
    report[3] = 0
    with pytest.raises(ValueError, match=r"report: 1 of 25 rows \(first: \[3\]\) are zero"):
        retrieval_report(study, report, own)


def test_reports_and_studies_must_fit_together() -> None:
    study, report, own = random_towers()
    with pytest.raises(ValueError, match="outside the 24 unique reports"):
        rank_both_ways(study, report[:24], own)
    with pytest.raises(ValueError, match="without a positive"):
        rank_both_ways(study, report, torch.zeros_like(own))
    with pytest.raises(ValueError, match="no studies"):
        rank_both_ways(study[:0], report, own[:0])
