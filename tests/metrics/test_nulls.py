"""Every null against a simulation, an optimisation, or the loss written out by hand."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from cinelex.metrics.nulls import (
    captioning_chance,
    captioning_unigram,
    infonce_chance,
    infonce_chance_of,
    infonce_floor,
    infonce_in_chance_of,
    sigmoid_chance_of,
    sigmoid_floor,
    sigmoid_start,
    uniformity_of_random_directions,
)
from cinelex.metrics.representation import rankme, uniformity


def _infonce(logits: Tensor) -> Tensor:
    target = torch.arange(len(logits))
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def _out_form(logits: Tensor, positive: Tensor, excluded: Tensor) -> Tensor:
    masked = logits.masked_fill(excluded, -math.inf)
    both = []
    for scores, truth in ((masked, positive), (masked.T, positive.T)):
        own = (scores.masked_fill(~truth, 0) * truth).sum(1) / truth.sum(1)
        both.append((scores.logsumexp(1) - own).mean())
    return (both[0] + both[1]) / 2


def _pairs() -> tuple[Tensor, Tensor]:
    report = torch.tensor([0, 1, 0, 2, 3, 0])
    patient = torch.tensor([0, 0, 1, 2, 2, 3])
    positive = report[:, None] == report
    return positive, (patient[:, None] == patient) & ~positive


def test_knowing_nothing_costs_the_log_of_the_batch() -> None:
    assert infonce_chance(7) == pytest.approx(_infonce(torch.full((7, 7), 0.3)).item(), abs=1e-6)


def test_duplicates_and_exclusions_set_the_chance_of_a_batch() -> None:
    positive, excluded = _pairs()
    by_loss = _out_form(torch.full((6, 6), 0.2, dtype=torch.float64), positive, excluded)
    assert infonce_chance_of(positive, excluded) == pytest.approx(by_loss.item(), abs=1e-12)
    nothing_excluded = torch.zeros_like(excluded)
    assert infonce_chance_of(positive, nothing_excluded) == pytest.approx(math.log(6))


def test_rows_and_columns_have_a_chance_of_their_own() -> None:
    excluded = torch.tensor([[False, True, True], [False] * 3, [False] * 3])
    # allowed: 1, 3 and 3 of the rows, 3, 2 and 2 of the columns
    expected = (3 * math.log(3) + 2 * math.log(2)) / 6
    assert infonce_chance_of(torch.eye(3, dtype=torch.bool), excluded) == pytest.approx(expected)
    positive = torch.tensor([[True, False, False], [True] * 3, [False, False, True]])
    # positives: 1, 3 and 1 of the rows, 2, 1 and 2 of the columns
    expected = (math.log(1 / 1) + math.log(3 / 3) + math.log(3 / 1)) / 6
    expected += (math.log(3 / 2) + math.log(2 / 1) + math.log(2 / 2)) / 6
    assert infonce_in_chance_of(positive, excluded) == pytest.approx(expected)


def test_the_share_form_falls_by_the_log_of_its_positives() -> None:
    positive, excluded = _pairs()
    allowed, scores = ~excluded, torch.zeros(6, 6, dtype=torch.float64)
    both = []
    for truth, kept in ((positive, allowed), (positive.T, allowed.T)):
        inside = scores.masked_fill(~truth, -math.inf).logsumexp(1)
        both.append((scores.masked_fill(~kept, -math.inf).logsumexp(1) - inside).mean())
    by_loss = float((both[0] + both[1]) / 2)
    assert infonce_in_chance_of(positive, excluded) == pytest.approx(by_loss, abs=1e-12)


def test_the_best_constant_of_the_sigmoid_loss_knows_duplicates_and_exclusions() -> None:
    positive, excluded = _pairs()
    bias = torch.linspace(-8, 8, 32_001, dtype=torch.float64)
    yes, no = int(positive.sum()), int((~excluded & ~positive).sum())
    costs = (yes * F.softplus(-bias) + no * F.softplus(bias)) / 6
    assert sigmoid_chance_of(positive, excluded) == pytest.approx(float(costs.min()), abs=1e-6)
    alone = torch.eye(9, dtype=torch.bool)
    assert sigmoid_chance_of(alone, ~(alone | True)) == pytest.approx(sigmoid_start(9))
    same = torch.ones(3, 3, dtype=torch.bool)
    assert sigmoid_chance_of(same, ~same) == 0.0


def test_pairs_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="needs a positive"):
        infonce_chance_of(torch.zeros(2, 2, dtype=torch.bool), torch.zeros(2, 2, dtype=torch.bool))
    lonely_column = torch.tensor([[True, False], [True, False]])
    with pytest.raises(ValueError, match="needs a positive"):
        infonce_chance_of(lonely_column, torch.zeros(2, 2, dtype=torch.bool))
    everything = torch.ones(2, 2, dtype=torch.bool)
    with pytest.raises(ValueError, match="cannot be excluded"):
        infonce_in_chance_of(everything, everything)


@pytest.mark.parametrize("temperature", [0.2, 1.0, 10.0])
def test_optimised_embeddings_reach_the_floor_and_no_lower(temperature: float) -> None:
    torch.manual_seed(0)
    rows = torch.randn(2, 6, 8, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([rows], max_iter=400, line_search_fn="strong_wolfe")

    def step() -> Tensor:
        optimizer.zero_grad()
        video, text = F.normalize(rows, dim=-1)
        loss = _infonce(video @ text.T / temperature)
        loss.backward()
        return loss

    for _ in range(5):
        optimizer.step(step)
    reached = float(step().detach())
    floor = infonce_floor(6, temperature)
    assert floor - 1e-12 <= reached <= floor + 1e-4


def test_the_first_system_of_this_kind_had_no_room() -> None:
    assert infonce_floor(20, 10.0) == pytest.approx(2.896, abs=5e-4)
    assert infonce_chance(20) == pytest.approx(2.996, abs=5e-4)
    assert infonce_floor(1, 0.1) == 0.0
    assert infonce_floor(100, 1e-6) == 0.0


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan, math.inf])
def test_a_temperature_that_divides_nothing_is_refused(temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature"):
        infonce_floor(20, temperature)


@pytest.mark.parametrize(("bias", "duplicates"), [(None, 1), (None, 3), (-10.0, 1), (0.5, 2)])
def test_the_sigmoid_loss_starts_where_the_closed_form_says(
    bias: float | None, duplicates: int
) -> None:
    studies = 12
    group = torch.arange(studies) // duplicates
    positive = group[:, None] == group
    start = -math.log((studies - duplicates) / duplicates) if bias is None else bias
    logits = torch.full((studies, studies), start, dtype=torch.float64)
    loss = -F.logsigmoid(torch.where(positive, logits, -logits)).sum() / studies
    expected = sigmoid_start(studies, bias=bias, positives=float(duplicates))
    assert expected == pytest.approx(loss.item(), abs=1e-12)


@pytest.mark.parametrize("temperature", [0.2, 1.0, 10.0])
def test_optimised_embeddings_and_bias_reach_the_sigmoid_floor(temperature: float) -> None:
    torch.manual_seed(0)
    rows = torch.randn(2, 6, 8, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([rows, bias], max_iter=400, line_search_fn="strong_wolfe")
    sign = 2 * torch.eye(6, dtype=torch.float64) - 1

    def step() -> Tensor:
        optimizer.zero_grad()
        video, text = F.normalize(rows, dim=-1)
        loss = -F.logsigmoid(sign * (video @ text.T / temperature + bias)).sum() / 6
        loss.backward()
        return loss

    for _ in range(5):
        optimizer.step(step)
    reached = float(step().detach())
    floor = sigmoid_floor(6, temperature)
    assert floor - 1e-12 <= reached <= floor + 1e-4
    assert floor < sigmoid_start(6)


@pytest.mark.parametrize("temperature", [0.05, 0.5])
def test_the_floor_of_a_smoothed_target_is_the_least_over_all_margins(temperature: float) -> None:
    studies, share = 8, 0.1
    widest = 8 / 7 / temperature
    losses = [
        math.log1p(7 * math.exp(-margin)) + share * margin * 7 / 8
        for margin in (widest * step / 20_000 for step in range(20_001))
    ]
    found = infonce_floor(studies, temperature, label_smoothing=share)
    assert found == pytest.approx(min(losses), abs=1e-6)
    assert found > infonce_floor(studies, temperature)


def test_the_sigmoid_floor_lies_between_nothing_and_the_best_constant() -> None:
    assert sigmoid_floor(1, 0.1) == 0.0
    assert sigmoid_floor(64, 0.01) == pytest.approx(0.0, abs=1e-12)
    assert sigmoid_floor(64, 1e6) == pytest.approx(sigmoid_start(64), rel=1e-6)


def test_the_default_bias_is_the_best_constant() -> None:
    best = sigmoid_start(12)
    assert best == pytest.approx(math.log(12) + 11 * math.log(12 / 11))
    assert all(sigmoid_start(12, bias=-math.log(11) + shift) > best for shift in (-0.1, 0.1))
    with pytest.raises(ValueError, match="no finite best bias"):
        sigmoid_start(1)


def test_a_uniform_guess_of_words_costs_the_log_of_the_vocabulary() -> None:
    loss = F.cross_entropy(torch.zeros(3, 50), torch.tensor([0, 7, 49]))
    assert captioning_chance(50) == pytest.approx(loss.item(), abs=1e-6)


def test_word_frequencies_alone_cost_their_entropy() -> None:
    words = torch.tensor([0, 0, 0, 1, 1, 3])
    counts = torch.bincount(words, minlength=5)
    logits = (counts / counts.sum()).log().clamp(min=-1e9).expand(6, 5)
    expected = F.cross_entropy(logits, words).item()
    assert captioning_unigram(counts.numpy()) == pytest.approx(expected, abs=1e-6)
    assert captioning_unigram(np.ones(9, dtype=np.int64)) == pytest.approx(captioning_chance(9))
    with pytest.raises(ValueError, match="not all 0"):
        captioning_unigram(np.zeros(3, dtype=np.int64))
    with pytest.raises(ValueError, match="non-negative"):
        captioning_unigram(np.array([3, -1]))


@pytest.mark.parametrize("dim", [2, 3, 16, 512])
def test_random_directions_have_the_uniformity_of_the_closed_form(dim: int) -> None:
    rows = torch.randn(3000, dim, generator=torch.Generator().manual_seed(1))
    expected = uniformity_of_random_directions(dim)
    assert uniformity(rows) == pytest.approx(expected, abs=0.01)


def test_uniformity_tends_to_minus_four() -> None:
    assert uniformity_of_random_directions(10_000) == pytest.approx(-4.0, abs=1e-3)
    assert uniformity_of_random_directions(1) == pytest.approx(math.log((1 + math.exp(-8)) / 2))


def test_effective_rank_reaches_its_bounds_and_no_further() -> None:
    assert rankme(torch.ones(6, 4)) == pytest.approx(1.0, abs=1e-6)
    assert rankme(torch.cat([torch.eye(4), torch.zeros(2, 4)])) == pytest.approx(4.0)


def test_empty_batches_and_vocabularies_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one study"):
        infonce_chance(0)
    with pytest.raises(ValueError, match="at least one token"):
        captioning_chance(0)
    with pytest.raises(ValueError, match="dimension"):
        uniformity_of_random_directions(0)
