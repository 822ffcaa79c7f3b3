"""Supervised contrast, grouped error and curve error: values by hand, at chance, at the floor."""

import math

import pytest
import torch
from torch.nn import functional as F

from cinelex.losses.curve_error import CurveError
from cinelex.losses.grouped_error import GroupedError, weighted_moments
from cinelex.losses.supervised_contrastive import (
    SupervisedContrastive,
    share_a_label,
)
from cinelex.metrics.nulls import supcon_collapsed

T = torch.tensor(0.2, dtype=torch.float64)
RANDOM = torch.Generator().manual_seed(0)
KIND = torch.tensor([0, 0, 0, 1, 1, 2])
LABELS = F.one_hot(KIND, 4).bool()


def unit(rows: int, dim: int = 5) -> torch.Tensor:
    return F.normalize(torch.randn(rows, dim, dtype=torch.float64, generator=RANDOM), dim=-1)


def test_the_contrast_is_the_mean_over_anchors_written_out() -> None:
    rows = unit(6)
    expected = []
    for i in range(5):  # the last has no positive
        others = [j for j in range(6) if j != i]
        logits = torch.stack([rows[i] @ rows[j] / T for j in others])
        positives = [n for n, j in enumerate(others) if KIND[j] == KIND[i]]
        expected.append(-(logits.log_softmax(0)[positives]).mean())
    loss = SupervisedContrastive()(rows, LABELS, temperature=T)
    torch.testing.assert_close(loss, torch.stack(expected).mean())


@pytest.mark.parametrize("samples", [6, 32, 128])
def test_collapse_costs_the_logarithm_of_the_others(samples: int) -> None:
    rows = unit(1).expand(samples, -1)
    labels = F.one_hot(torch.arange(samples) % 3, 3).bool()
    loss = SupervisedContrastive()(rows, labels, temperature=T)
    assert float(loss) == pytest.approx(math.log(samples - 1))
    assert supcon_collapsed(samples) == pytest.approx(math.log(samples - 1))


def test_the_other_form_keeps_the_self_pair_and_counts_anchors_without_positives() -> None:
    """Twenty-six samples of which 99.8 % have a positive: the 3.25 of the history."""
    assert supcon_collapsed(26, anchors=0.998, itself=True) == pytest.approx(3.2516, abs=1e-3)
    assert supcon_collapsed(26, anchors=0.0) == 0.0


def test_perfect_clusters_reach_the_mean_logarithm_of_the_positives() -> None:
    rows = torch.eye(4, dtype=torch.float64)[KIND]
    loss = SupervisedContrastive()(rows, LABELS, temperature=torch.tensor(0.01).double())
    own = share_a_label(LABELS).sum(dim=1)
    assert float(loss) == pytest.approx(float(own[own > 0].double().log().mean()), abs=1e-9)


def test_one_shared_label_of_several_makes_a_positive_and_nobody_is_their_own() -> None:
    labels = torch.tensor([[1, 1, 0], [0, 1, 1], [1, 0, 0], [0, 0, 0]]).bool()
    assert share_a_label(labels).int().tolist() == [
        [0, 1, 1, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0],
    ]  # fmt: skip


def test_no_positive_costs_nothing_and_has_a_gradient_of_zero() -> None:
    rows = unit(3).requires_grad_(True)
    loss = SupervisedContrastive()(rows, torch.eye(3).bool(), temperature=T)
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert rows.grad is not None
    assert bool((rows.grad == 0).all())


def grouped(values: torch.Tensor, weight: torch.Tensor) -> GroupedError:
    mean, variance = weighted_moments(values, weight)
    return GroupedError(groups=((0, 2), (1,)), mean=mean.tolist(), variance=variance.tolist())


def test_the_best_constant_costs_one_in_every_group_whatever_the_units() -> None:
    values = torch.rand(200, 3, dtype=torch.float64, generator=RANDOM) * torch.tensor([1, 1e6, 5])
    weight = torch.rand(200, 3, dtype=torch.float64, generator=RANDOM)
    loss = grouped(values, weight)
    assert float(loss.chance(values, weight)) == pytest.approx(1.0)
    mean = torch.tensor(loss.mean).expand_as(values)
    assert loss.each(mean, values, weight).tolist() == pytest.approx([1.0] * 3)
    worse = float(loss(mean + torch.tensor([0.1, 0.0, 0.0]), values, weight))
    assert worse > 1.0


def test_groups_count_alike_and_parameters_alike_within_one() -> None:
    target = torch.zeros(1, 3)
    loss = GroupedError(groups=((0, 2), (1,)), mean=(0.0, 0.0, 0.0), variance=(1.0, 4.0, 2.0))
    guess, weight = torch.tensor([[1.0, 2.0, 2.0]]), torch.full((1, 3), 0.5)
    assert float(loss(guess, target, weight)) == pytest.approx(((1.0 + 2.0) / 2 + 1.0) / 2)


def test_what_has_no_weight_costs_nothing() -> None:
    loss = GroupedError(groups=((0,), (1,)), mean=(0.0, 0.0), variance=(1.0, 1.0))
    guess = torch.tensor([[3.0, 4.0], [1.0, 5.0]])
    weight = torch.tensor([[0.0, 0.0], [2.0, 0.0]])
    assert float(loss(guess, torch.zeros(2, 2), weight)) == 0.5


@pytest.mark.parametrize(
    ("groups", "variance", "says"),
    [(((0,),), (1.0, 1.0), "each of 2"), (((0,), (1,)), (1.0, 0.0), r"parameters \[1\] never")],
)
def test_groups_that_miss_a_parameter_and_one_that_never_changes_are_refused(
    groups: tuple[tuple[int, ...], ...], variance: tuple[float, ...], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        GroupedError(groups=groups, mean=(0.0, 0.0), variance=variance)


def test_curves_are_compared_in_their_squared_unit() -> None:
    target = torch.tensor([[0.0, 3.0], [1.0, 1.0]])
    assert float(CurveError()(target + torch.tensor([1.0, 3.0]), target)) == 5.0
    mean = target.mean(dim=0).expand_as(target)
    variance = float(target.var(dim=0, correction=0).mean())
    assert float(CurveError()(mean, target)) == pytest.approx(variance)
