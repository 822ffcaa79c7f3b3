"""From stored bytes to what a video encoder reads, on the device, for all clips at once."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from cinelex.core.pixels import PIXEL_MEAN, PIXEL_STD
from cinelex.core.randomness import uniform

GEOMETRY, BRIGHTNESS = 1, 2
"""Streams of the keyed draws."""


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How much a training clip is changed, all its frames alike; zero is not at all."""

    crop: float = 0.0
    """Largest shift, and largest change of scale, as a share of the side."""
    rotation: float = 0.0
    """Largest turn, in degrees."""
    flip: bool = False
    """Mirror left and right half of the time; wrong where sides matter, as in anatomy."""
    brightness: float = 0.0
    """Largest change of brightness and of contrast, as a share of the full range."""


def to_float(
    clips: UInt8[Tensor, "clip frame row column channel"],
) -> Float[Tensor, "clip channel frame row column"]:
    """Return standardised pixels; see ``core/pixels.py``."""
    pixels = rearrange(clips, "clip frame row column channel -> clip channel frame row column")
    return (pixels.float() / 255 - PIXEL_MEAN) / PIXEL_STD


def augment(
    pixels: Float[Tensor, "clip channel frame row column"],
    keys: Int[Tensor, " clip"],
    augmentation: Augmentation,
) -> Float[Tensor, "clip channel frame row column"]:
    """Shift, scale, turn, mirror and relight each clip as its key decides.

    What comes in at the border repeats the border.
    """
    if augmentation.crop or augmentation.rotation or augmentation.flip:
        pixels = _move(pixels, keys, augmentation)
    if augmentation.brightness:
        contrast, shift = (2 * uniform(keys, count=2, stream=BRIGHTNESS) - 1).unbind(1)
        amount = augmentation.brightness
        by_clip = (-1, 1, 1, 1, 1)
        pixels = pixels * (1 + amount * contrast).view(by_clip)
        pixels = pixels + (amount / PIXEL_STD * shift).view(by_clip)
    return pixels


def _move(
    pixels: Float[Tensor, "clip channel frame row column"],
    keys: Int[Tensor, " clip"],
    augmentation: Augmentation,
) -> Float[Tensor, "clip channel frame row column"]:
    draws = 2 * uniform(keys, count=5, stream=GEOMETRY) - 1
    # in grid_sample's units the side is 2 long, so that a shift of the share s is 2 s
    right, down = (2 * augmentation.crop * draws[:, :2]).unbind(1)
    scale = 1 + augmentation.crop * draws[:, 2]
    angle = torch.deg2rad(augmentation.rotation * draws[:, 3])
    mirror = (
        torch.where(draws[:, 4] < 0, -1.0, 1.0) if augmentation.flip else torch.ones_like(scale)
    )
    cosine, sine = scale * angle.cos(), scale * angle.sin()
    rows = torch.stack(
        [
            torch.stack([mirror * cosine, -sine, right], 1),
            torch.stack([mirror * sine, cosine, down], 1),
        ],
        dim=1,
    )
    images = rearrange(pixels, "clip channel frame row column -> clip (channel frame) row column")
    grid = F.affine_grid(rows, list(images.shape), align_corners=False)
    moved = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
    return rearrange(
        moved,
        "clip (channel frame) row column -> clip channel frame row column",
        frame=pixels.shape[2],
    )
