"""The other treatments of negatives, against loops and against InfoNCE where they equal it."""

import math

import pytest
import torch
from torch import Tensor

from cinelex.losses import NEGATIVES
from cinelex.losses.comparison import ComparisonLoss, cross_entropy, off_diagonal
from cinelex.losses.counterparts import FalseNegatives, SoftTargets
from cinelex.losses.moving_average import MovingAverage
from cinelex.losses.self_weighted import ADNCE, HardNegatives, PercentileNegatives
from tests.losses.comparisons import comparison_of, towers, unit_rows


@pytest.mark.parametrize(
    "loss",
    [
        HardNegatives(positive_prior=0.0),
        ADNCE(width=1e6),
        PercentileNegatives(low=0.0, high=1.0),
        FalseNegatives(threshold=1e6),
        FalseNegatives(threshold=1e6, treatment="attract"),
        SoftTargets(share=0.0),
    ],
    ids=lambda loss: type(loss).__name__,
)
def test_each_is_infonce_where_it_asks_for_nothing(loss: ComparisonLoss) -> None:
    comparison = comparison_of(*towers())
    torch.testing.assert_close(loss(comparison, progress=0.5).loss, cross_entropy(comparison))


@pytest.mark.parametrize("name", NEGATIVES)
def test_every_loss_is_finite_and_moves_both_towers(name: str) -> None:
    study, report = towers()
    for temperature in (0.1, 0.01):
        entry = NEGATIVES[name]
        loss = entry(studies=8) if name == "moving_average" else entry()
        scored = loss(comparison_of(study, report, temperature=temperature), progress=0.5)
        gradients = torch.autograd.grad(scored.loss, (study, report))
        assert torch.isfinite(scored.loss)
        for gradient in gradients:
            assert torch.isfinite(gradient).all()
            assert gradient.abs().max() > 0


@pytest.mark.parametrize(("prior", "hardness"), [(0.1, 0.0), (0.1, 0.5), (0.6, 1.0)])
def test_hard_negatives_equal_loops(prior: float, hardness: float) -> None:
    comparison = comparison_of(*towers())
    logits, n, temperature = comparison.logits.tolist(), 8, 0.1
    total = 0.0
    for matrix in (logits, list(zip(*logits, strict=True))):
        for i in range(n):
            others = [matrix[i][j] for j in range(n) if j != i]
            weights = [math.exp(hardness * x) for x in others]
            mean = sum(weights) / (n - 1)
            weighed = sum(w / mean * math.exp(x) for w, x in zip(weights, others, strict=True))
            positive = math.exp(matrix[i][i])
            corrected = (weighed - prior * (n - 1) * positive) / (1 - prior)
            negative = max(corrected, (n - 1) * math.exp(-1 / temperature))
            total -= math.log(positive / (positive + negative))
    found = HardNegatives(positive_prior=prior, hardness=hardness)(comparison, progress=0.0)
    assert float(found.loss.detach()) == pytest.approx(total / (2 * n), rel=1e-9)


def test_adnce_weighs_by_a_gaussian_of_mean_one() -> None:
    comparison = comparison_of(*towers())
    log_weight = ADNCE(center=0.2, width=0.3)(comparison, progress=0.0).log_weight
    assert isinstance(log_weight, Tensor)
    gauss = torch.exp(-((comparison.similarity.detach() - 0.2) ** 2) / (2 * 0.09))
    others = off_diagonal(gauss)
    torch.testing.assert_close(
        off_diagonal(log_weight).exp(), others / others.mean(1, keepdim=True)
    )


def test_percentiles_leave_out_the_hardest_negatives() -> None:
    comparison = comparison_of(*towers())
    log_weight = PercentileNegatives(low=0.0, high=0.8)(comparison, progress=0.0).log_weight
    assert isinstance(log_weight, Tensor)
    kept = torch.isfinite(off_diagonal(log_weight))
    cosines = off_diagonal(comparison.similarity.detach())
    assert kept.sum(1).tolist() == [5] * 8  # of 7 negatives, 0.8 of the way is before the sixth
    assert (cosines.masked_fill(~kept, -2).amax(1) < cosines.masked_fill(kept, 2).amin(1)).all()


def test_false_negatives_are_left_out_or_become_positives() -> None:
    study, report = unit_rows(3, 0), unit_rows(3, 1)
    affinity = torch.eye(3, dtype=torch.float64)
    affinity[0, 2] = affinity[2, 0] = 0.9
    comparison = comparison_of(study, report, affinity=affinity)
    table = comparison.logits
    left_out, attracted = 0.0, 0.0
    for matrix in (table.tolist(), table.T.tolist()):
        for i in range(3):
            twins = {0: [0, 2], 1: [1], 2: [0, 2]}[i]
            everything = math.log(sum(math.exp(x) for x in matrix[i]))
            attracted += everything - sum(matrix[i][j] for j in twins) / len(twins)
            allowed = [j for j in range(3) if j == i or j not in twins]
            left_out += math.log(sum(math.exp(matrix[i][j]) for j in allowed)) - matrix[i][i]
    eliminate = FalseNegatives()(comparison, progress=0.0).loss
    attract = FalseNegatives(treatment="attract")(comparison, progress=0.0).loss
    assert float(eliminate) == pytest.approx(left_out / 6, rel=1e-9)
    assert float(attract) == pytest.approx(attracted / 6, rel=1e-9)


def test_soft_targets_are_the_cross_entropy_with_a_mixed_target() -> None:
    comparison = comparison_of(*towers())
    affinity = comparison.known_affinity()
    target = 0.6 * torch.eye(8) + 0.4 * torch.softmax(affinity / 0.2, dim=1)
    expected = (
        torch.nn.functional.cross_entropy(comparison.logits, target)
        + torch.nn.functional.cross_entropy(comparison.logits.T, target)
    ) / 2
    found = SoftTargets(share=0.4, target_temperature=0.2)(comparison, progress=0.0).loss
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("rate", [0.25, 1.0])
def test_moving_averages_follow_their_recursion_and_rest_outside_training(rate: float) -> None:
    loss = MovingAverage(studies=20, rate=rate)
    study, report = towers()
    comparison = comparison_of(study, report)
    gaps = comparison.logits - comparison.logits.diagonal()[:, None]
    estimate = off_diagonal(gaps).exp().mean(1).detach()
    first = loss(comparison, progress=0.0).loss
    assert float(first.detach()) == pytest.approx(0.1)  # the temperature, whatever the towers know
    torch.testing.assert_close(
        loss.log_averages[0, :8].exp(), estimate.float(), rtol=1e-5, atol=1e-6
    )
    other = comparison_of(-study, report)
    gaps = other.logits - other.logits.diagonal()[:, None]
    newer = off_diagonal(gaps).exp().mean(1).detach()
    loss(other, progress=0.0)
    expected = ((1 - rate) * estimate + rate * newer).float()
    torch.testing.assert_close(loss.log_averages[0, :8].exp(), expected, rtol=1e-4, atol=1e-6)
    before = loss.log_averages.clone()
    loss.eval()(comparison, progress=0.0)
    assert torch.equal(loss.log_averages, before)
    assert torch.isinf(loss.log_averages[:, 8:]).all()


def test_the_first_gradient_of_moving_averages_is_that_of_the_log_of_the_denominator() -> None:
    study, report = towers()
    comparison = comparison_of(study, report)
    (found,) = torch.autograd.grad(
        MovingAverage(studies=8)(comparison, progress=0.0).loss, study, retain_graph=True
    )
    ways = []
    for table in (comparison.logits, comparison.logits.T):
        gaps = off_diagonal(table - table.diagonal()[:, None])
        ways.append(0.1 * gaps.exp().mean(1).log().mean())
    (expected,) = torch.autograd.grad((ways[0] + ways[1]) / 2, study)
    torch.testing.assert_close(found, expected)


def test_a_number_out_of_its_range_is_refused() -> None:
    for build in (
        lambda: HardNegatives(positive_prior=1.0),
        lambda: PercentileNegatives(low=0.9, high=0.1),
        lambda: MovingAverage(studies=3, rate=0.0),
    ):
        with pytest.raises(ValueError, match="must lie in|need 0"):
            build()
