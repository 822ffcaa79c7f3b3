"""What a guess at hidden tubelets costs, and what it is in pixels."""

import math

import pytest
import torch
from torch import Tensor

from cinelex.losses.masked import MaskedModeling


def pixels_of(clips: int = 3, hidden: int = 4, pixels: int = 50, seed: int = 0) -> Tensor:
    """Tubelets of different brightness and contrast."""
    random = torch.Generator().manual_seed(seed)
    pattern = torch.randn(clips, hidden, pixels, generator=random, dtype=torch.float64)
    contrast = torch.rand(clips, hidden, 1, generator=random, dtype=torch.float64) + 0.5
    brightness = torch.randn(clips, hidden, 1, generator=random, dtype=torch.float64)
    return 30 * (brightness + contrast * pattern) + 100


MASKED = MaskedModeling(data_mean=100.0, data_std=30.0)


def test_the_hand_value_of_one_tubelet() -> None:
    masked = MaskedModeling(data_mean=1.0, data_std=2.0, contrast_floor=0.5, statistics_weight=3.0)
    tubelet = torch.tensor([[[1.0, 5.0]]])
    spread = math.sqrt(4 + 1)
    guess = torch.tensor([[[0.0, 0.0, 0.0, 0.0]]])
    expected = 4 / 5 + 3 * (((3 - 1) / 2) ** 2 + math.log(spread / 2) ** 2)
    torch.testing.assert_close(masked(guess, tubelet), torch.tensor(expected))


def test_a_perfect_guess_costs_nothing_and_gives_the_pixels_back() -> None:
    pixels = pixels_of()
    guess = MASKED.targets(pixels)
    assert MASKED(guess, pixels).item() == pytest.approx(0, abs=1e-20)
    torch.testing.assert_close(MASKED.to_pixels(guess), pixels)


def test_averages_alone_cost_chance() -> None:
    pixels = pixels_of()
    target = MASKED.targets(pixels)
    guess = torch.zeros_like(target)
    guess[..., -2:] = target[..., -2:].mean((0, 1))
    pattern = target[..., :-2].square().mean()
    spread = target[..., -2:].flatten(0, 1).var(0, correction=0).sum()
    torch.testing.assert_close(MASKED(guess, pixels), MASKED.chance(pixels))
    torch.testing.assert_close(MASKED.chance(pixels), pattern + spread)
    assert pattern.item() == pytest.approx(1, abs=0.01)


def test_tubelets_alike_in_brightness_and_contrast_cost_one_at_chance() -> None:
    stripes = torch.tensor([-30.0, 30.0], dtype=torch.float64).repeat(2, 3, 8) + 100
    masked = MaskedModeling(data_mean=100.0, data_std=30.0, contrast_floor=1e-4)
    assert masked.chance(stripes).item() == pytest.approx(1)


def test_a_flat_tubelet_has_no_pattern_to_guess() -> None:
    target = MASKED.targets(torch.full((1, 1, 50), 100.0))
    torch.testing.assert_close(target[..., :-1], torch.zeros(1, 1, 51))
    torch.testing.assert_close(target[..., -1], torch.tensor([[math.log(0.05)]]))


def test_pixels_of_a_guess_do_not_depend_on_the_hidden_tubelet() -> None:
    guess = torch.zeros(1, 1, 52)
    torch.testing.assert_close(MASKED.to_pixels(guess), torch.full((1, 1, 50), 100.0))


def test_the_target_has_no_gradient() -> None:
    pixels = pixels_of().requires_grad_()
    guess = torch.zeros(3, 4, 52, requires_grad=True)
    MASKED(guess, pixels).backward()
    assert pixels.grad is None
    assert guess.grad is not None


def test_a_bfloat16_guess_is_judged_in_float32() -> None:
    pixels = pixels_of()
    guess = (0.9 * MASKED.targets(pixels)).to(torch.bfloat16)
    loss = MASKED(guess, pixels.float())
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss.double(), MASKED(guess.double(), pixels), rtol=1e-5, atol=0)


def test_hiding_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no token is hidden"):
        MASKED(torch.zeros(2, 0, 52), torch.zeros(2, 0, 50))


def test_a_guess_without_the_two_statistics_is_refused() -> None:
    with pytest.raises(ValueError, match="50 pixels needs 52"):
        MASKED(torch.zeros(2, 3, 50), torch.zeros(2, 3, 50))


def test_a_data_deviation_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="data_std"):
        MaskedModeling(data_std=0.0)
