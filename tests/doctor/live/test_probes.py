"""What the probes say of gradients, decay and embeddings, against autograd and by hand."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cinelex.doctor.balance import Middle, balance, suggested_weights, typical
from cinelex.doctor.evidence import Evidence
from cinelex.doctor.live.embeddings import embedding_numbers
from cinelex.doctor.live.gradients import GradientProbe
from cinelex.doctor.live.weight_decay import decay_over_update
from cinelex.metrics.representation import (
    hardest_negative_margin,
    mean_rank_share,
    recall_at_1_of_rows,
)
from cinelex.runners.probe import due
from cinelex.runners.shared_block import moved_parameters, shared_block
from tests.doctor.records import steps


class TwoHeads(nn.Module):
    """A trunk of two blocks, and two heads."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(nn.Linear(6, 6) for _ in range(2))
        self.first = nn.Linear(6, 3)
        self.second = nn.Linear(6, 3)
        self.idle = nn.Linear(2, 2)

    def forward(self, rows: Tensor) -> dict[str, Tensor]:
        for block in self.blocks:
            rows = torch.tanh(block(rows))
        return {"a": self.first(rows).square().mean(), "b": self.second(rows).abs().mean()}


@pytest.fixture
def model() -> TwoHeads:
    torch.manual_seed(0)
    return TwoHeads()


@pytest.fixture
def rows() -> Tensor:
    return torch.randn(16, 6, generator=torch.Generator().manual_seed(1))


def look(probe: GradientProbe, model: TwoHeads, rows: Tensor) -> dict[str, float]:
    found = probe.before_backward(model, model(rows))
    return {name: float(value) for name, value in found.items()}


def test_the_shared_block_is_the_last_that_all_terms_move(model: TwoHeads, rows: Tensor) -> None:
    moved = moved_parameters(model, model(rows))
    assert moved["a"] ^ moved["b"] == {
        "first.weight",
        "first.bias",
        "second.weight",
        "second.bias",
    }
    block = {id(parameter) for parameter in shared_block(model, moved)}
    assert block == {id(parameter) for parameter in model.blocks[1].parameters()}


def test_a_term_without_a_gradient_moves_nothing(model: TwoHeads, rows: Tensor) -> None:
    terms = {**model(rows), "c": torch.tensor(1.0)}
    moved = moved_parameters(model, terms)
    assert moved["c"] == set()
    assert shared_block(model, moved) == []
    assert not {name for names in moved.values() for name in names if name.startswith("idle")}


def test_norms_and_cosine_are_those_of_separate_backward_passes(
    model: TwoHeads, rows: Tensor
) -> None:
    flat = {}
    for term in ("a", "b"):
        model.zero_grad()
        model(rows)[term].backward()
        gradients = [parameter.grad for parameter in model.blocks[1].parameters()]
        flat[term] = torch.cat([g.flatten() for g in gradients if g is not None]).double()
    model.zero_grad()
    found = look(GradientProbe(every=3), model, rows)
    for term, gradient in flat.items():
        assert found[f"gradient/norm/{term}"] == pytest.approx(gradient.norm().item(), rel=1e-5)
    cosine = flat["a"] @ flat["b"] / flat["a"].norm() / flat["b"].norm()
    assert found["gradient/cosine/a~b"] == pytest.approx(cosine.item(), abs=1e-5)


def test_a_look_leaves_the_update_as_it_was(model: TwoHeads, rows: Tensor) -> None:
    before = torch.get_rng_state()
    terms = model(rows)
    probe = GradientProbe(every=1)
    probe.before_backward(model, terms)
    assert all(parameter.grad is None for parameter in model.parameters())
    (terms["a"] + terms["b"]).backward()
    looked = [parameter.grad for parameter in model.parameters()]
    assert torch.equal(before, torch.get_rng_state())
    model.zero_grad()
    plain = model(rows)
    (plain["a"] + plain["b"]).backward()
    for after, parameter in zip(looked, model.parameters(), strict=True):
        if after is None or parameter.grad is None:
            assert after is parameter.grad
        else:
            assert torch.equal(after, parameter.grad)


def test_a_probe_looks_at_the_first_step_and_at_every_third() -> None:
    probes = [GradientProbe(every=3), GradientProbe(every=0)]
    looked = {step: due(probes, step) for step in range(1, 10)}
    assert [step for step, found in looked.items() if found] == [1, 3, 6, 9]
    assert all(found in ([], probes[:1]) for found in looked.values())


def test_decay_is_measured_against_the_step_that_adam_makes(rows: Tensor) -> None:
    torch.manual_seed(0)
    layer = nn.Linear(6, 4, bias=False)
    model = nn.Sequential(layer)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.3, betas=(0.9, 0.98))
    for _ in range(3):
        before = layer.weight.detach().clone()
        optimizer.zero_grad()
        model(rows).square().mean().backward()
        optimizer.step()
    decay = 1e-3 * 0.3 * before
    step = before - decay - layer.weight.detach()
    (ratio,) = decay_over_update(model, optimizer).values()
    expected = (decay * layer.weight.norm() / before.norm()).norm() / step.norm()
    assert float(ratio) == pytest.approx(expected.item(), rel=1e-3)


def test_without_a_gradient_decay_wins_without_bound() -> None:
    layer = nn.Linear(3, 3, bias=False)
    model = nn.Sequential(layer)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.1)
    layer.weight.grad = torch.zeros(3, 3)
    optimizer.step()
    (ratio,) = decay_over_update(model, optimizer).values()
    assert float(ratio) > 1e6


def test_matching_towers_are_told_from_collapsed_and_from_unrelated_ones() -> None:
    generator = torch.Generator().manual_seed(0)
    one = torch.randn(48, 16, generator=generator)
    same = embedding_numbers({"study": one, "report": one + 0.01})
    assert same["embedding/recall_at_1"] == 1.0
    assert same["embedding/recall_at_1/shuffled"] == 0.0
    assert same["embedding/rank"] == 0.0
    assert same["embedding/recall_at_1/chance"] == pytest.approx(1 / 48)
    flat = torch.ones(48, 16) + 1e-5 * one
    collapsed = embedding_numbers({"study": flat, "report": flat})
    assert collapsed["embedding/study/cosine"] == pytest.approx(1.0)
    assert collapsed["embedding/study/rankme"] == pytest.approx(1.0, abs=0.01)
    zero = embedding_numbers({"study": torch.zeros(48, 16), "report": one})
    assert "embedding/study/cosine" not in zero
    assert "embedding/gap" not in zero


def test_unrelated_towers_rank_own_rows_in_the_middle() -> None:
    generator = torch.Generator().manual_seed(0)
    shares = [
        mean_rank_share(
            torch.randn(48, 16, generator=generator), torch.randn(48, 16, generator=generator)
        )
        for _ in range(100)
    ]
    spread = 1 / math.sqrt(12 * 48)
    mean, deviation = torch.tensor(shares).mean().item(), torch.tensor(shares).std().item()
    assert mean == pytest.approx(0.5, abs=4 * spread / 10)
    assert deviation == pytest.approx(spread, rel=0.35)


def test_ties_count_against_the_row() -> None:
    same = torch.ones(5, 3)
    assert recall_at_1_of_rows(same, same) == 0.0
    assert mean_rank_share(same, same) == 1.0
    assert hardest_negative_margin(same, same) == pytest.approx(0.0, abs=1e-12)
    assert hardest_negative_margin(torch.eye(4), torch.eye(4)) == pytest.approx(1.0)


def test_shares_come_from_weighted_norms_with_their_noise() -> None:
    evidence = Evidence(steps=steps())
    found = balance(evidence)
    assert found is not None
    assert found.probes == 50
    rows = [row for row in evidence.steps if "gradient/norm/contrastive" in row][-50:]
    shares = [
        2.0
        * row["gradient/norm/contrastive"]
        / (2.0 * row["gradient/norm/contrastive"] + 0.3 * row["gradient/norm/captioning"])
        for row in rows
    ]
    exact = torch.tensor(shares, dtype=torch.float64)
    share = found.shares["contrastive"]
    ordered = exact.sort().values.tolist()
    assert share.value == pytest.approx((ordered[24] + ordered[25]) / 2)
    # a sample of 50 has fewer than 18 values below its median in 1.6 % of cases, on either side
    assert (share.low, share.high) == pytest.approx((ordered[17], ordered[32]))
    assert found.conflicts["captioning~contrastive"] == 0.5


def test_the_interval_of_a_median_covers_it_whatever_the_distribution() -> None:
    draws = np.random.default_rng(0).pareto(0.8, size=(2000, 50))  # no mean, median 2^1.25 - 1
    found = [typical(row.tolist()) for row in draws]
    covered = np.mean([one.low <= 2**1.25 - 1 <= one.high for one in found])
    assert covered == pytest.approx(0.967, abs=0.012)
    assert typical([3.0]) == Middle(3.0, 3.0, 3.0)


def test_the_condition_number_is_that_of_the_gradients_as_rows() -> None:
    gradients = torch.tensor([[3.0, 0.0, 0.0], [1.0, 2.0, 0.0]], dtype=torch.float64)
    norms, cosine = (
        gradients.norm(dim=1),
        torch.cosine_similarity(gradients[0], gradients[1], dim=0),
    )
    row = {
        "step": 1,
        "loss/a": 1.0,
        "loss/b": 1.0,
        "gradient/norm/a": norms[0].item(),
        "gradient/norm/b": norms[1].item(),
        "gradient/cosine/a~b": cosine.item(),
    }
    found = balance(Evidence(steps=[row]))
    assert found is not None
    assert found.condition == pytest.approx(torch.linalg.cond(gradients).item())


def test_suggested_weights_have_the_target_shares() -> None:
    norms, target = {"a": 4.0, "b": 0.5}, {"a": 0.7, "b": 0.3}
    weights = suggested_weights(norms, target, total=2.4)
    pulls = {name: weights[name] * norms[name] for name in norms}
    assert pulls["a"] / sum(pulls.values()) == pytest.approx(0.7)
    assert sum(weights.values()) == pytest.approx(2.4)
    with pytest.raises(ValueError, match="sum to 1"):
        suggested_weights(norms, {"a": 0.7, "b": 0.7}, total=1.0)
    with pytest.raises(ValueError, match="shares for"):
        suggested_weights(norms, {"a": 1.0}, total=1.0)
