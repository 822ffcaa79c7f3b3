"""Places in a ranking do not depend on how the scores are computed."""

import math

import numpy as np
import pytest
import torch

from cinelex.metrics import counting
from cinelex.metrics.ranking import nearest
from cinelex.metrics.retrieval import (
    rank_both_ways,
)
from cinelex.metrics.unit_rows import UnitRows
from tests.metrics.towers import random_towers

BOTH = ("study_to_report", "report_to_study")


@pytest.mark.parametrize("rows", [1, 7, 59, 1000])
def test_tiles_equal_the_dense_matrix_exactly(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "TILE_CELLS", {"cpu": 1})
    monkeypatch.setattr(counting, "MIN_ROWS", rows)
    study, report, own = random_towers(dim=513, signal=0.1)
    dense = UnitRows(study, what="study").exact @ UnitRows(report, what="report").exact.T
    for direction, scores, truth in (
        ("study_to_report", dense, own[:, None] == torch.arange(25)),
        ("report_to_study", dense.T, torch.arange(25)[:, None] == own),
    ):
        ranking = rank_both_ways(study, report, own)[direction]
        for row in range(len(scores)):
            mine = scores[row][truth[row]].sort(descending=True).values
            others = scores[row][~truth[row]]
            places = [i + 1 + int((others >= value).sum()) for i, value in enumerate(mine)]
            assert ranking.rank[ranking.query == row].tolist() == places


def test_single_and_double_precision_give_the_same_places() -> None:
    study, report, own = random_towers(dim=64)
    single, double = (
        rank_both_ways(study.to(t), report.to(t), own) for t in (torch.float32, torch.float64)
    )
    for direction in BOTH:
        np.testing.assert_array_equal(single[direction].rank, double[direction].rank)


def test_half_precision_is_lifted_before_it_can_overflow() -> None:
    study, report, own = random_towers()
    huge = (study * 10_000).half()
    assert torch.isfinite(huge).all()
    lifted = rank_both_ways(huge, report, own)
    exact = rank_both_ways(huge.double(), report, own)
    for direction in BOTH:
        np.testing.assert_array_equal(lifted[direction].rank, exact[direction].rank)


def test_the_length_of_a_row_does_not_matter() -> None:
    study, report, own = random_towers()
    scaled = rank_both_ways(study * torch.rand(60, 1).add(0.1), report, own)
    for direction, ranking in rank_both_ways(study, report, own).items():
        np.testing.assert_array_equal(scaled[direction].rank, ranking.rank)


@pytest.mark.parametrize("chunk", [1, 1024])
def test_nearest_reports_come_best_first_and_ties_by_number(chunk: int) -> None:
    report = torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    cosines, items = nearest(torch.tensor([[2.0, 0.0], [0.0, 3.0]]), report, count=3, chunk=chunk)
    assert items.tolist() == [[1, 2, 3], [0, 3, 1]]
    assert cosines[0].tolist() == pytest.approx([1.0, 1.0, math.sqrt(0.5)], abs=1e-7)
    assert nearest(torch.eye(2), report, count=9)[1].shape == (2, 4)
