"""How much each negative weighs, and what a band of affinities holds."""

import math

import pytest
import torch

from cinelex.losses.adaptive_band import AdaptiveBandpass, width_for
from cinelex.losses.affinity import label_affinity
from cinelex.losses.comparison import off_diagonal
from cinelex.losses.negative_weights import (
    Bandpass,
    Debias,
    band,
    coverage,
    effective_size,
    mean_one,
    row_entropy,
)
from tests.losses.comparisons import comparison_of, towers, unit_rows


def test_coverage_counts_off_diagonal_cells_only() -> None:
    affinity = torch.tensor([[1.0, 0.5, 0.1], [0.5, 1.0, 0.3], [0.1, 0.3, 1.0]])
    edges = torch.tensor([0.25, 0.6])
    assert float(coverage(affinity, edges)) == pytest.approx(4 / 6)
    assert float(coverage(affinity, torch.tensor([0.9, 1.0]))) == 0.0


@pytest.mark.parametrize(("progress", "share"), [(0.0, 0.15), (0.5, 0.25), (1.0, 0.35)])
def test_the_adaptive_band_holds_the_share_that_it_was_told(progress: float, share: float) -> None:
    rows = unit_rows(60, 0)
    affinity = rows @ rows.T
    weighting = AdaptiveBandpass(coverage=(0.15, 0.35), tail=0.1, memory=0.0)
    weighting(affinity, progress=progress)
    found = weighting.edges.to(torch.float64)
    assert float(coverage(affinity, found)) == pytest.approx(share, abs=0.005)
    above = (off_diagonal(affinity) > found[1]).double().mean()
    assert float(above) == pytest.approx(0.1, abs=0.005)


def test_remembered_edges_are_a_moving_average_and_training_alone_moves_them() -> None:
    weighting = AdaptiveBandpass(memory=0.75, coverage=(0.2, 0.2))
    affinities = [unit_rows(20, seed) @ unit_rows(20, seed).T for seed in (0, 1)]
    alone = []
    for affinity in affinities:
        fresh = AdaptiveBandpass(memory=0.0, coverage=(0.2, 0.2))
        fresh(affinity, progress=0.0)
        alone.append(fresh.edges)
        weighting(affinity, progress=0.0)
    expected = 0.75 * alone[0] + 0.25 * alone[1]
    torch.testing.assert_close(weighting.edges, expected)
    weighting.eval()(affinities[0], progress=0.0)
    torch.testing.assert_close(weighting.edges, expected)


@pytest.mark.parametrize("share", [0.4, 0.6, 0.9])
def test_the_controller_meets_its_effective_size(share: float) -> None:
    rows = unit_rows(40, 5)
    affinity, edges = rows @ rows.T, torch.tensor([0.1, 0.5], dtype=torch.float64)
    width = width_for(affinity, edges, share)
    assert float(effective_size(band(affinity, edges, width)).mean()) == pytest.approx(
        share, abs=1e-4
    )
    weighting = AdaptiveBandpass(effective_share=share)
    size = effective_size(weighting(affinity, progress=0.5)).mean()
    assert float(size) == pytest.approx(share, abs=1e-4)


def test_diversity_is_one_for_equal_weights_and_known_for_unequal_ones() -> None:
    equal = torch.zeros(5, 5)
    torch.testing.assert_close(effective_size(equal), torch.ones(5))
    torch.testing.assert_close(row_entropy(equal), torch.ones(5))
    weights = torch.tensor([[1.0, 3.0, 1.0], [1.0, 1.0, 1.0], [2.0, 2.0, 1.0]])
    assert float(effective_size(weights.log())[0]) == pytest.approx(16 / 10 / 2)
    expected = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25)) / math.log(2)
    assert float(row_entropy(weights.log())[0]) == pytest.approx(expected)


def test_normalised_weights_have_mean_one_in_each_direction() -> None:
    affinity = comparison_of(*towers()).known_affinity()
    raw = Debias(sharpness=4.0, threshold=0.0)(affinity, progress=0.0)
    skewed = raw - 0.3 * torch.arange(8.0)[:, None]
    for table in (skewed, skewed.T):
        mean = off_diagonal(mean_one(table)).exp().mean(1)
        torch.testing.assert_close(mean, torch.ones(8, dtype=mean.dtype))
        assert (mean_one(table).diagonal() == 0).all()


def test_own_pairs_weigh_one_however_alike() -> None:
    affinity = torch.ones(4, 4)
    for weighting in (
        Debias(sharpness=50.0, threshold=0.0),
        Bandpass(low=-1.0, high=0.0, width=0.1),
    ):
        log_weight = weighting(affinity, progress=0.0)
        assert (log_weight.diagonal() == 0).all()
        assert (off_diagonal(log_weight) < -5).all()


def test_labels_make_an_affinity_of_zero_and_one() -> None:
    found = label_affinity(torch.tensor([3, 5, 3])).rows(slice(None))
    assert found.tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
