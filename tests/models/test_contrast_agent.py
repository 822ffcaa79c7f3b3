"""What contrast agent does to the frames of a clip."""

import math
from typing import Literal

import pytest
import torch

from cinelex.core.errors import UserError
from cinelex.core.pixels import PIXEL_MEAN, PIXEL_STD
from cinelex.models.contrast_agent import DARKEST, GAIN, USUAL, ContrastAgent
from cinelex.models.video_vit import VideoViT


def pixels(levels: torch.Tensor) -> torch.Tensor:
    return ((levels - PIXEL_MEAN) / PIXEL_STD).view(1, 1, -1, 1, 1)


def agent(*, peaks: bool, frames: int = 4) -> ContrastAgent:
    return ContrastAgent(subtract_first=True, log_levels=True, peaks=peaks, tubelet_frames=frames)


def test_what_absorbs_as_much_looks_the_same_before_any_background() -> None:
    agents = torch.tensor([0.0, 0.3, 0.9, 0.1])
    shown = [
        agent(peaks=False)(pixels(lamp * torch.exp(-agents) - DARKEST)).flatten()
        for lamp in (1.0, 0.4)
    ]
    torch.testing.assert_close(shown[0][1:], GAIN * agents[1:], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(shown[0][1:], shown[1][1:], rtol=1e-4, atol=1e-5)
    assert float(shown[1][0]) == pytest.approx(-math.log(0.4) - USUAL, abs=1e-5)


def test_what_stands_in_the_first_frame_is_shown_as_strongly_as_what_comes_later() -> None:
    strong = ContrastAgent(
        subtract_first=True, log_levels=True, peaks=False, tubelet_frames=4, first_gain=GAIN
    )
    depth = torch.tensor([0.7, 0.3, 0.9, 0.1])
    shown = strong(pixels(torch.exp(-depth) - DARKEST)).flatten()
    differences = torch.tensor([0.7 - USUAL, 0.3 - 0.7, 0.9 - 0.7, 0.1 - 0.7])
    torch.testing.assert_close(shown, GAIN * differences, rtol=1e-4, atol=1e-5)


def test_each_tubelet_gets_its_own_peak_and_its_logarithm_behind_its_frames() -> None:
    agents = torch.tensor([0.0, 0.3, 0.9, 0.1])
    shown = agent(peaks=True, frames=2)(pixels(0.8 * torch.exp(-agents) - DARKEST)).flatten()
    assert len(shown) == 8
    peaks = shown[[2, 6]]
    torch.testing.assert_close(peaks, GAIN * torch.tensor([0.3, 0.9]), rtol=1e-4, atol=1e-5)
    step = float(shown[7] - shown[3])
    assert step == pytest.approx(math.log((0.9 + 0.1) / (0.3 + 0.1)), abs=1e-4)


def test_peaks_are_those_of_differences_of_logarithms() -> None:
    with pytest.raises(UserError, match="log_levels"):
        ContrastAgent(subtract_first=True, log_levels=False, peaks=True, tubelet_frames=4)


@pytest.mark.parametrize("stem", ["linear", "conv", "pyramid"])
def test_every_stem_takes_the_frames_that_are_added(
    stem: Literal["linear", "conv", "pyramid"],
) -> None:
    vit = VideoViT(
        width=16, frames=4, size=16, channels=1, depth=0, tubelet=(2, 8, 8),
        stem=stem, subtract_first=True, log_levels=True, peaks=True,
    )  # fmt: skip
    vit.normalize.expect(mean=PIXEL_MEAN, std=PIXEL_STD)
    clips = torch.randn(2, 1, 4, 16, 16)
    assert vit(clips).shape == (2, 8, 16)
    assert vit(clips, torch.tensor([[0, 5], [1, 7]])).shape == (2, 2, 16)
