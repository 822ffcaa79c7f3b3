"""The promises of similarity-aware negative weighting, one by one."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from cinelex.losses.affinity import mixed_affinity
from cinelex.losses.comparison import Comparison, cross_entropy, off_diagonal
from cinelex.losses.similarity_aware import (
    SimilarityAware,
    WeightedForm,
    adaptive_bandpass,
    bandpass,
    debias,
)
from tests.losses.comparisons import comparison_of, towers, unit_rows

VARIANTS = {
    "debias": debias(sharpness=6.0, threshold=0.1),
    "bandpass": bandpass(low=-0.2, high=0.4, width=0.1),
    "adaptive": adaptive_bandpass(width=0.1),
}


def value(loss: SimilarityAware, comparison: Comparison, progress: float = 1.0) -> Tensor:
    return loss.eval()(comparison, progress=progress).loss


def number(loss: SimilarityAware, comparison: Comparison) -> float:
    return value(loss, comparison).item()


def by_hand(comparison: Comparison, form: WeightedForm, beta: float, weights: Tensor) -> float:
    """Compute a form with loops over single pairs."""
    total, logits = 0.0, comparison.logits.tolist()
    n = len(logits)
    for i in range(n):
        for forwards in (True, False):
            terms = []
            for j in range(n):
                weight = float(weights[i][j] if forwards else weights[j][i])
                weight = {"modulated": 1 + beta * weight}.get(form, weight**beta)
                if i == j:
                    weight = 0.0 if form == "decoupled" else 1.0
                terms.append(weight * math.exp(logits[i][j] if forwards else logits[j][i]))
            total += math.log(sum(terms)) - logits[i][i]
    return total / (2 * n)


@pytest.mark.parametrize("form", ["weighted", "decoupled", "modulated"])
def test_every_form_equals_loops_over_pairs(form: WeightedForm) -> None:
    comparison = comparison_of(*towers())
    loss = debias(sharpness=5.0, threshold=0.2, form=form, strength=0.7)
    weights = torch.sigmoid(-5.0 * (comparison.known_affinity() - 0.2))
    assert number(loss, comparison) == pytest.approx(
        by_hand(comparison, form, 0.7, weights), rel=1e-6
    )


@pytest.mark.parametrize(
    "loss",
    [
        debias(strength=0.0),
        bandpass(strength=0.0),
        adaptive_bandpass(strength=0.0),
        debias(threshold=1e6),
        bandpass(low=-1e6, high=1e6),
        debias(strength=3.0, warmup=0.5),
    ],
    ids=["debias at 0", "bandpass at 0", "adaptive at 0", "no threshold", "no edges", "warm-up"],
)
def test_it_is_infonce_where_nothing_is_weighed(loss: SimilarityAware) -> None:
    comparison = comparison_of(*towers())
    at_start = value(loss, comparison, progress=0.0)
    torch.testing.assert_close(at_start, cross_entropy(comparison))


def test_alpha_mixes_affinities_and_is_no_strength() -> None:
    study, report = towers()
    images, texts = unit_rows(8, 3), unit_rows(8, 2)
    for alpha in (0.0, 0.5, 1.0):
        affinity = mixed_affinity(images, texts, alpha=alpha).rows(slice(None))
        torch.testing.assert_close(
            affinity, alpha * texts @ texts.T + (1 - alpha) * images @ images.T
        )
        comparison = comparison_of(study, report, affinity=affinity)
        loss = value(debias(threshold=0.0), comparison)
        assert abs((loss - cross_entropy(comparison)).item()) > 1e-3


def test_a_share_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="alpha"):
        mixed_affinity(None, unit_rows(3, 0), alpha=1.5)
    with pytest.raises(ValueError, match="none were given"):
        mixed_affinity(None, unit_rows(3, 0), alpha=0.5)
    with pytest.raises(ValueError, match="below high"):
        bandpass(low=0.5, high=0.5)
    with pytest.raises(ValueError, match="strength"):
        debias(strength=-1.0)
    with pytest.raises(ValueError, match="coverage"):
        adaptive_bandpass(coverage=(0.5, 1.2))


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("name", VARIANTS)
def test_it_lies_between_infonce_with_the_least_and_the_greatest_weight(
    name: str, normalise: bool
) -> None:
    loss = VARIANTS[name]
    loss = SimilarityAware(loss.weighting, type(loss.strength)(normalise=normalise, strength=1.5))
    for seed in range(5):
        comparison = comparison_of(unit_rows(8, seed), unit_rows(8, seed + 50))
        scored = loss.eval()(comparison, progress=1.0)
        assert scored.log_weight is not None
        raw = loss.weighting(comparison.known_affinity(), progress=1.0)
        ways = [loss._applied(table, 1.5) for table in (raw, raw.T)]
        ce = float(cross_entropy(comparison))
        low = min(0.0, *(float(off_diagonal(way).min()) for way in ways))
        high = max(0.0, *(float(off_diagonal(way).max()) for way in ways))
        assert ce + low - 1e-9 <= float(scored.loss) <= ce + high + 1e-9


def test_a_duplicate_caption_pushes_less_than_in_infonce() -> None:
    report = unit_rows(6, 1).clone()
    report[3] = report[0]
    gradients = []
    for loss in (cross_entropy, lambda c: debias()(c, progress=1.0).loss):
        study, texts = unit_rows(6, 0), report.clone().requires_grad_()
        affinity = mixed_affinity(None, report, alpha=1.0).rows(slice(None))
        comparison = comparison_of(study, texts, affinity=affinity)
        similarity = comparison.similarity
        similarity.retain_grad()
        loss(comparison).backward()
        assert similarity.grad is not None
        gradients.append(similarity.grad[0, 3])
    plain, weighted = gradients
    assert 0 < weighted < 0.1 * plain


@pytest.mark.parametrize("name", VARIANTS)
def test_no_gradient_flows_through_the_weights(name: str) -> None:
    study, report = towers()
    affinity = mixed_affinity(study, report, alpha=0.5).rows(slice(None))
    assert not affinity.requires_grad
    comparison = comparison_of(study, report, affinity=affinity)
    scored = VARIANTS[name].eval()(comparison, progress=1.0)
    assert scored.log_weight is not None
    assert not scored.log_weight.requires_grad
    (found,) = torch.autograd.grad(scored.loss, study)
    fixed = comparison_of(study, report, affinity=affinity.clone())
    logits, weights = fixed.logits, VARIANTS[name].weighting(affinity, progress=1.0)
    rows = (logits + weights).logsumexp(1) - logits.diagonal()
    columns = (logits + weights).logsumexp(0) - logits.diagonal()
    (expected,) = torch.autograd.grad((rows.mean() + columns.mean()) / 2, study)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", VARIANTS)
def test_the_order_of_the_studies_changes_nothing(name: str) -> None:
    study, report = unit_rows(8, 0), unit_rows(8, 1)
    affinity = mixed_affinity(unit_rows(8, 3), unit_rows(8, 2), alpha=0.5).rows(slice(None))
    order = torch.randperm(8, generator=torch.Generator().manual_seed(0))
    turned = comparison_of(study[order], report[order], affinity=affinity[order][:, order])
    there = VARIANTS[name].eval()(comparison_of(study, report, affinity=affinity), progress=0.5)
    here = VARIANTS[name].eval()(turned, progress=0.5)
    torch.testing.assert_close(here.loss, there.loss)
    assert here.log_weight is not None
    assert there.log_weight is not None
    torch.testing.assert_close(here.log_weight, there.log_weight[order][:, order])


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_at_scale_100_stays_finite(name: str, dtype: torch.dtype) -> None:
    study = unit_rows(8, 0).to(dtype).requires_grad_()
    report = (-unit_rows(8, 0)).to(dtype)
    comparison = comparison_of(study, report, temperature=0.01)
    loss = value(VARIANTS[name], comparison)
    (gradient,) = torch.autograd.grad(loss, study)
    assert torch.isfinite(loss)
    assert torch.isfinite(gradient).all()


def test_decoupled_falls_below_zero_and_modulated_never_weighs_less() -> None:
    study = unit_rows(6, 0)
    good = comparison_of(study, study, temperature=0.02)
    assert number(debias(form="decoupled", strength=0.0), good) < 0
    for strength in (0.0, 0.5, 2.0):
        loss = number(debias(form="modulated", strength=strength), good)
        assert loss >= cross_entropy(good).item()


@pytest.mark.parametrize("beta", [0.25, 1.0, 3.0])
def test_modulated_costs_one_plus_beta_times_infonce_for_the_same_good_model(beta: float) -> None:
    loss = debias(threshold=1e6, form="modulated", strength=beta)
    study = unit_rows(16, 0, dim=32)
    ratios = []
    for temperature in (0.4, 0.1, 0.03):
        comparison = comparison_of(study, study, temperature=temperature)
        ratios.append(number(loss, comparison) / cross_entropy(comparison).item())
    assert ratios == sorted(ratios)
    assert ratios[-1] == pytest.approx(1 + beta, rel=1e-3)
    flat = comparison_of(*[F.normalize(torch.ones(16, 4).double(), dim=1)] * 2)
    expected = math.log(1 + 15 * (1 + beta)) / math.log(16)
    assert number(loss, flat) / cross_entropy(flat).item() == pytest.approx(expected)
