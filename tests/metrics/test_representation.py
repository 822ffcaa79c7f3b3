"""Signs of collapse on tables whose geometry is known."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from cinelex.metrics.representation import (
    feature_std,
    hardest_negative_margin,
    mean_off_diagonal_cosine,
    mean_rank_share,
    modality_gap,
    rankme,
    recall_at_1_of_rows,
    uniformity,
)

SINGLE = [feature_std, rankme, mean_off_diagonal_cosine, uniformity]


def _random(rows: int = 2000, dim: int = 32, seed: int = 0) -> Tensor:
    return torch.randn(rows, dim, generator=torch.Generator().manual_seed(seed))


def test_a_collapsed_table_shows_every_sign() -> None:
    table = torch.ones(10, 1) * torch.tensor([3.0, -4.0, 12.0])
    assert feature_std(table) == pytest.approx(0.0, abs=1e-12)
    assert rankme(table) == pytest.approx(1.0, abs=1e-5)
    assert mean_off_diagonal_cosine(table) == pytest.approx(1.0)
    assert uniformity(table) == pytest.approx(0.0, abs=1e-9)


def test_random_directions_show_none() -> None:
    table = _random()
    assert feature_std(table) == pytest.approx(1 / math.sqrt(32), rel=0.02)
    assert rankme(table) > 31
    assert mean_off_diagonal_cosine(table) == pytest.approx(0.0, abs=0.01)
    assert uniformity(table) < -3.5


def test_level_and_length_do_not_hide_collapse() -> None:
    lengths = torch.linspace(0.1, 10, 50)[:, None]
    table = lengths * torch.tensor([1.0, 2.0, 2.0])
    assert feature_std(table) == pytest.approx(0.0, abs=1e-7)
    assert mean_off_diagonal_cosine(table) == pytest.approx(1.0)


def test_an_effective_rank_weighs_singular_values_and_not_their_squares() -> None:
    entropy = 0.75 * math.log(4 / 3) + 0.25 * math.log(4)
    assert rankme(torch.diag(torch.tensor([3.0, 1.0]))) == pytest.approx(math.exp(entropy))


def test_they_equal_their_definitions_pair_by_pair() -> None:
    table = _random(23, 5)
    unit = F.normalize(table.double(), dim=1)
    different = ~torch.eye(23, dtype=torch.bool)
    cosines = (unit @ unit.T)[different]
    assert mean_off_diagonal_cosine(table) == pytest.approx(cosines.mean().item(), abs=1e-12)
    distances = torch.cdist(unit, unit)[different].square()
    assert uniformity(table, chunk=7) == pytest.approx(
        (-2 * distances).exp().mean().log().item(), abs=1e-9
    )


def test_rows_of_two_towers_are_compared_with_the_others_of_both() -> None:
    towers = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    turned = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])
    cosines = towers @ turned.T
    assert cosines.tolist() == [[1, -1, 0], [0, 0, 1], [-1, 1, 0]]
    assert recall_at_1_of_rows(towers, turned) == pytest.approx(1 / 3)
    # others that are as near: none of 2, then 2 of 2 (a tie and a nearer one), then 1 of 2
    assert mean_rank_share(towers, turned) == pytest.approx((0 / 2 + 2 / 2 + 1 / 2) / 3)
    along_rows, along_columns = (1 - 0) + (0 - 1) + (0 - 1), (1 - 0) + (0 - 1) + (0 - 1)
    expected = (along_rows + along_columns) / 3 / 2
    assert hardest_negative_margin(towers, turned) == pytest.approx(expected)


def test_rows_that_coincide_rank_last() -> None:
    same = torch.ones(4, 3)
    assert recall_at_1_of_rows(same, same) == 0
    assert mean_rank_share(same, same) == 1
    assert hardest_negative_margin(same, same) == pytest.approx(0, abs=1e-12)


def test_a_shift_between_towers_is_their_gap() -> None:
    east, west = torch.tensor([[1.0, 0.0]] * 4), torch.tensor([[-2.0, 0.0]] * 3)
    assert modality_gap(east, west) == pytest.approx(2.0)
    assert modality_gap(east, 5 * east) == pytest.approx(0.0, abs=1e-12)
    assert modality_gap(_random(), _random(seed=1)) == pytest.approx(math.sqrt(2 / 2000), rel=0.3)


@pytest.mark.parametrize("measure", SINGLE)
def test_tables_without_a_spread_are_refused(measure: Callable[[Tensor], float]) -> None:
    with pytest.raises(ValueError, match="at least two"):
        measure(torch.ones(1, 3))
    with pytest.raises(ValueError, match="1 of 2 rows are not finite"):
        measure(torch.tensor([[1.0, 0.0], [math.nan, 1.0]]))
    with pytest.raises(ValueError, match="zero"):
        measure(torch.zeros(2, 3))


@pytest.mark.parametrize("measure", SINGLE)
def test_half_precision_input_is_measured_in_double(measure: Callable[[Tensor], float]) -> None:
    table = _random(200, 16).bfloat16()
    assert measure(table) == measure(table.double())
