"""Latents: the loss of equal tokens, what a mean costs, and who gets a gradient."""

from typing import Literal

import pytest
import torch
from torch import Tensor

from cinelex.losses.latent import LatentModeling, spread_of_targets

TOKENS = torch.tensor([[[1.0, -1.0]], [[-1.0, 1.0]], [[1.0, 1.0]]])
"""Three clips of one token of two numbers."""


@pytest.mark.parametrize("error", ["smooth_l1", "squared"])
def test_tokens_that_are_the_teachers_cost_nothing(error: Literal["smooth_l1", "squared"]) -> None:
    assert LatentModeling(error=error)(TOKENS, TOKENS).item() == 0


@pytest.mark.parametrize(("error", "cost"), [("squared", (4 + 0.25) / 2), ("smooth_l1", 1.625 / 2)])
def test_a_number_costs_what_the_formula_says(
    error: Literal["smooth_l1", "squared"], cost: float
) -> None:
    guess = torch.tensor([[[2.0, 0.5]]])
    loss = LatentModeling(error=error)(guess, torch.zeros(1, 1, 2))
    assert loss.item() == pytest.approx(cost), "2 and a half off: 4 and 1/4, or 1.5 and 1/8"


def test_chance_guesses_the_mean_of_the_other_clips() -> None:
    # the others' means are (0, 1), (1, 0) and (0, 0): off by (1, 2), (2, 1) and (1, 1)
    assert LatentModeling(error="squared").chance(TOKENS).item() == pytest.approx(12 / 6)
    assert LatentModeling().chance(TOKENS).item() == pytest.approx((4 * 0.5 + 2 * 1.5) / 6)
    assert spread_of_targets(TOKENS).item() == pytest.approx(12 / 6)


def test_targets_that_are_the_same_for_every_clip_have_no_spread() -> None:
    same = TOKENS[:1].expand(5, -1, -1)
    assert spread_of_targets(same).item() == 0
    assert LatentModeling().chance(same).item() == 0


def test_a_clip_that_is_alone_is_guessed_as_zero() -> None:
    assert spread_of_targets(TOKENS[:1]).item() == 1


def test_no_gradient_reaches_the_target() -> None:
    guess, target = (torch.randn(2, 3, 4, requires_grad=True) for _ in range(2))
    LatentModeling()(guess, target).backward()
    assert isinstance(guess.grad, Tensor)
    assert target.grad is None
