"""Balances of loss terms: closed forms, toys whose end is known, and a second opinion."""

import math

import pytest
import torch
from torch import Tensor
from torchjd.scalarization import FAMO, UW

from cinelex.doctor.balance import suggested_weights
from cinelex.losses.balance import Famo, Shares, Uncertainty, UpGrad

TWO = ("a", "b")


def test_a_loss_that_stands_still_has_its_logarithm_as_log_variance() -> None:
    losses = torch.tensor([0.02, 5.0, 300.0])
    balance = Uncertainty(names=("a", "b", "c"))
    optimizer = torch.optim.LBFGS(balance.parameters(), max_iter=100, line_search_fn="strong_wolfe")

    def cost() -> Tensor:
        optimizer.zero_grad()
        found = balance.cost(losses)
        found.backward()
        return found

    optimizer.step(cost)
    torch.testing.assert_close(balance.log_variances.detach(), losses.log(), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(
        balance.factors(losses, None) * losses, torch.ones(3), rtol=2e-3, atol=0
    )


def test_uncertainty_is_twice_the_form_for_regression() -> None:
    losses, balance, peer = torch.tensor([0.3, 7.0]), Uncertainty(names=TWO), UW(2)
    for module in (balance.log_variances, peer.log_var):
        module.data = torch.tensor([-0.4, 1.1])
    torch.testing.assert_close(balance.cost(losses), 2 * peer(losses))


def test_a_term_whose_weight_is_0_moves_no_variance() -> None:
    balance = Uncertainty(names=TWO)
    balance.cost(torch.tensor([0.0, 2.0])).backward()
    assert balance.log_variances.grad is not None
    assert balance.log_variances.grad.tolist() == [0.0, -1.0]


def quadratics(x: Tensor) -> Tensor:
    """Two bowls, one a thousand times as deep, whose lowest points differ."""
    return torch.stack([1000 * (x - 1).square().sum(), (x + 1).square().sum()]) + 0.1


def learn(balance: Famo, optimizer: torch.optim.Optimizer, losses: Tensor) -> None:
    """Show a step's losses to FAMO, as the loop does."""
    optimizer.zero_grad()
    balance.cost(losses).backward()
    optimizer.step()
    balance.after_update(losses, None)


def test_under_famo_both_losses_fall_however_deep_they_are() -> None:
    x, balance = torch.tensor([0.5, -3.0], requires_grad=True), Famo(names=TWO)
    optimizer = torch.optim.Adam(balance.parameters(), lr=balance.learning_rate)
    losses = []
    for _ in range(15):
        now = quadratics(x)
        losses.append(now.detach())
        (step,) = torch.autograd.grad((balance.factors(losses[-1], None) * now).sum(), x)
        learn(balance, optimizer, losses[-1])
        x = (x - 0.05 * step).detach().requires_grad_()
    assert bool((torch.stack(losses).diff(dim=0) < 0).all())


def test_famo_learns_what_that_of_another_library_does_from_the_same_losses() -> None:
    balance, peer = Famo(names=TWO), FAMO(2)
    optimizer = torch.optim.Adam(balance.parameters(), lr=balance.learning_rate)
    generator = torch.Generator().manual_seed(0)
    losses = torch.randn(10, 2, generator=generator).cumsum(0).exp()
    # the first step has nothing to compare with, and counts as one in which nothing fell
    for before, now in zip((losses[0], *losses), losses, strict=False):
        peer(before)
        peer.update(now)
        learn(balance, optimizer, now)
    values = losses[-1].clone().requires_grad_()
    (expected,) = torch.autograd.grad(peer(values), values)
    torch.testing.assert_close(balance.factors(losses[-1], None), expected, rtol=1e-5, atol=1e-7)


def test_two_gradients_that_conflict_are_projected_as_by_hand() -> None:
    # (1, 0) onto what does not hurt (-1, 1) is (1, 0) + (-1, 1) / 2; the other one adds (1, 0)
    rows = torch.tensor([[1.0, 0.0], [-1.0, 1.0]])
    found = UpGrad(names=TWO).factors(torch.ones(2), rows @ rows.T)
    torch.testing.assert_close(found, torch.tensor([2.0, 1.5]), rtol=1e-4, atol=0)


@pytest.mark.parametrize("seed", range(4))
def test_the_sum_works_against_no_gradient_however_short_it_is(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(4, 6, generator=generator, dtype=torch.float64)
    rows[2] -= 3 * rows[1]  # against the long one
    rows *= torch.tensor([[1.0], [30.0], [0.1], [1.0]])
    assert float((rows @ rows.sum(0)).min()) < 0, "the plain sum does"
    losses = torch.ones(4, dtype=torch.float64)
    direction = UpGrad(names=("a", "b", "c", "d")).factors(losses, rows @ rows.T) @ rows
    cosines = rows @ direction / rows.norm(dim=1) / direction.norm()
    assert float(cosines.min()) > -2e-3


@pytest.mark.parametrize("spoiled", [0.0, math.nan, math.inf])
def test_gradients_that_agree_or_say_nothing_leave_the_weights(spoiled: float) -> None:
    balance = UpGrad(names=TWO)
    agreeing = torch.tensor([[4.0, 1.0], [1.0, 9.0]])
    for gram in (agreeing, torch.full((2, 2), spoiled)):
        found = balance.factors(torch.ones(2), gram)
        torch.testing.assert_close(found, torch.ones(2), rtol=1e-4, atol=0)


def shared(balance: Shares, norms: Tensor, looks: int) -> Tensor:
    """Return the factors after some looks at constant gradients."""
    for _ in range(looks):
        balance.after_update(torch.ones(3), norms * balance.factors(torch.ones(3), None))
    return balance.factors(torch.ones(3), None)


def test_constant_gradients_end_at_the_targets() -> None:
    targets = {"a": 2.0, "b": 1.0, "c": 1.0}
    norms = torch.tensor([0.1, 4.0, 0.9])
    factors = shared(Shares(names=("a", "b", "c"), targets=targets), norms, 60)
    shares = norms * factors / (norms * factors).sum()
    torch.testing.assert_close(shares, torch.tensor([0.5, 0.25, 0.25]), rtol=1e-4, atol=0)
    named = dict(zip("abc", norms.tolist(), strict=True))
    known = suggested_weights(named, {"a": 0.5, "b": 0.25, "c": 0.25}, total=1.0)
    expected = torch.tensor(list(known.values()))
    torch.testing.assert_close(factors / factors.sum(), expected, rtol=1e-4, atol=0)
    torch.testing.assert_close(factors.log().sum(), torch.tensor(0.0), atol=1e-4, rtol=0)


def test_no_factor_leaves_its_bound_and_a_term_without_a_gradient_stays() -> None:
    balance = Shares(names=("a", "b", "c"), bound=3.0)
    factors = shared(balance, torch.tensor([1e-6, 1.0, 0.0]), 40)
    torch.testing.assert_close(factors, torch.tensor([3.0, 1 / 3, 1.0]))
    balance.after_update(torch.ones(3), torch.tensor([1.0, math.nan, 1.0]))
    torch.testing.assert_close(balance.factors(torch.ones(3), None), factors, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"targets": {"a": 1.0}}, "must name"),
        ({"targets": {"a": 1.0, "b": 0.0}}, "above 0"),
        ({"rate": 0.0}, "rate"),
        ({"bound": 1.0}, "bound"),
    ],
)
def test_what_cannot_be_aimed_at_is_refused(options: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Shares(names=TWO, **options)  # type: ignore[arg-type]
