"""Every null of a failure against a simulation, or the thing itself."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cinelex.losses.contrastive import info_nce_from_logits
from cinelex.losses.pairs import Pairs
from cinelex.metrics.failure_nulls import (
    collapse_to_bias,
    cosine_rate,
    duplicate_floor,
    greatest_chance_recall,
    same_report_in_batch,
    saturated_mse,
)
from cinelex.metrics.nulls import constant_mean_mse


def test_a_layer_that_sees_zeros_gives_its_bias() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(128, 40_000)
    output = layer(torch.zeros(1, 128))[0]
    expected = collapse_to_bias(40_000, 128)
    assert output.std().item() == pytest.approx(expected.std, rel=0.02)
    assert output.norm().item() == pytest.approx(expected.norm, rel=0.02)
    assert output.abs().max().item() == pytest.approx(expected.largest, rel=1e-3)
    assert expected.largest / expected.std == pytest.approx(math.sqrt(3))


def test_a_saturated_sigmoid_costs_its_distance_from_the_targets() -> None:
    targets = np.random.default_rng(0).uniform(0.2, 0.9, size=(500, 3))
    head = torch.sigmoid(torch.full((500, 3), 60.0, dtype=torch.float64))
    measured = F.mse_loss(head, torch.from_numpy(targets)).item()
    assert saturated_mse(targets, bound=1.0) == pytest.approx(measured, rel=1e-9)


def test_the_best_bound_is_the_mean() -> None:
    targets = np.random.default_rng(1).normal(0.4, 0.1, size=(200, 1))
    at_mean = saturated_mse(targets, bound=float(targets.mean()))
    assert at_mean == pytest.approx(constant_mean_mse(targets))
    assert saturated_mse(targets, bound=0.0) > at_mean


def test_the_rate_is_that_of_torch() -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=100, eta_min=1e-6)
    for step in range(101):
        mine = cosine_rate(step / 100, peak=1e-3, end=1e-6)
        assert mine == pytest.approx(schedule.get_last_lr()[0], rel=1e-6)
        optimizer.step()
        schedule.step()


def test_a_cosine_counted_in_micro_batches_is_back_at_its_peak() -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=50)
    for _ in range(50 * 2):  # two micro-batches a step
        optimizer.step()
        schedule.step()
    assert schedule.get_last_lr()[0] == pytest.approx(1e-3)
    assert cosine_rate(2.0, peak=1e-3, end=0.0) == 0.0


def test_false_negatives_of_a_batch_are_those_of_drawn_batches() -> None:
    copies = [1, 1, 1, 5, 8, 4]
    reports = np.repeat(np.arange(len(copies)), copies)
    rng = np.random.default_rng(0)
    counts = []
    for _ in range(4000):
        batch = rng.choice(reports, size=6, replace=False)
        counts.append(((batch[:, None] == batch).sum() - 6) / 6)
    error = 4 * np.std(counts) / math.sqrt(len(counts))
    assert same_report_in_batch(copies, batch=6) == pytest.approx(np.mean(counts), abs=error)
    assert same_report_in_batch([1] * 9, batch=4) == 0.0
    assert same_report_in_batch([7], batch=5) == pytest.approx(4.0)


def test_no_model_beats_the_floor_of_duplicates() -> None:
    group = torch.tensor([0, 0, 1, 2, 2, 2])
    pairs = Pairs.of(group, torch.arange(6))
    perfect = 200.0 * pairs.positive.double()
    loss = info_nce_from_logits(perfect, pairs, form="out").item()
    assert duplicate_floor(pairs.positive) == pytest.approx(loss, abs=1e-9)
    by_hand = (2 * math.log(2) + 3 * math.log(3)) / 6
    assert duplicate_floor(pairs.positive) == pytest.approx(by_hand)


def test_random_rankings_stay_below_the_greatest_chance_recall() -> None:
    rng = np.random.default_rng(0)
    limit = greatest_chance_recall(48, 48)
    recalls = (rng.integers(0, 48, size=(20_000, 48)) == 0).mean(axis=1)
    above = float((recalls > limit).mean())
    assert above <= 0.025
    one_less = float((recalls > limit - 1 / 48).mean())
    assert one_less > 0.025


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: collapse_to_bias(0, 3),
        lambda: saturated_mse(np.zeros((0, 2)), bound=1.0),
        lambda: cosine_rate(-0.1, peak=1.0, end=0.0),
        lambda: same_report_in_batch([1, 0], batch=1),
        lambda: same_report_in_batch([1, 1], batch=3),
        lambda: duplicate_floor(torch.zeros(2, 2, dtype=torch.bool)),
        lambda: greatest_chance_recall(0, 3),
    ],
)
def test_what_means_nothing_is_refused(wrong: object) -> None:
    assert callable(wrong)
    with pytest.raises(ValueError, match=r"\w"):
        wrong()
