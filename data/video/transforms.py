"""From stored bytes to what a video encoder reads, on the device, for all clips at once."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from cinelex.core.pixels import PIXEL_MEAN, PIXEL_STD
from cinelex.core.uniform import uniform

GEOMETRY, BRIGHTNESS, COLOR, BLUR, NOISE, TIME, SHIFT = range(1, 8)
"""Streams of the keyed draws."""
REACH = 3.0
"""How far a blur reaches, in standard deviations."""


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How much a training clip is changed, all its frames alike; zero is not at all."""

    crop: float = 0.0
    """Largest shift, and largest change of scale, as a share of the side."""
    shift: int = 0
    """Largest shift, in whole pixels: unlike ``crop`` it interpolates nothing."""
    rotation: float = 0.0
    """Largest turn, in degrees."""
    flip: bool = False
    """Mirror left and right half of the time; wrong where sides matter, as in anatomy."""
    brightness: float = 0.0
    """Largest change of brightness and of contrast, as a share of the full range."""
    color: float = 0.0
    """Largest shift of each channel by itself, as a share of the full range."""
    blur: float = 0.0
    """Largest standard deviation of a Gaussian blur, in pixels."""
    noise: float = 0.0
    """Largest standard deviation of noise in every pixel, as a share of the full range."""
    time: float = 0.0
    """Largest shift, and largest change of speed, as a share of the clip's frames."""


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
    """Shift, scale, turn, mirror, relight, blur and soil each clip as its key decides.

    What comes in at the border, or before the first and after the last frame, repeats these.
    """
    if augmentation.time and pixels.shape[2] > 1:
        pixels = _another_time(pixels, keys, augmentation.time)
    if augmentation.shift:
        pixels = _shifted(pixels, keys, augmentation.shift)
    if augmentation.crop or augmentation.rotation or augmentation.flip:
        pixels = _move(pixels, keys, augmentation)
    if augmentation.blur:
        pixels = _blurred(pixels, keys, augmentation.blur)
    if augmentation.brightness or augmentation.color:
        pixels = _relit(pixels, keys, augmentation)
    if augmentation.noise:
        pixels = pixels + _noise(pixels, keys, augmentation.noise)
    return pixels


def _relit(
    pixels: Float[Tensor, "clip channel frame row column"],
    keys: Int[Tensor, " clip"],
    augmentation: Augmentation,
) -> Float[Tensor, "clip channel frame row column"]:
    contrast, shift = (2 * uniform(keys, count=2, stream=BRIGHTNESS) - 1).unbind(1)
    amount = augmentation.brightness
    by_clip = (-1, 1, 1, 1, 1)
    pixels = pixels * (1 + amount * contrast).view(by_clip)
    pixels = pixels + (amount / PIXEL_STD * shift).view(by_clip)
    if augmentation.color and pixels.shape[1] > 1:
        tint = 2 * uniform(keys, count=pixels.shape[1], stream=COLOR) - 1
        pixels = pixels + augmentation.color / PIXEL_STD * tint[:, :, None, None, None]
    return pixels


def _blurred(
    pixels: Float[Tensor, "clip channel frame row column"], keys: Int[Tensor, " clip"], most: float
) -> Float[Tensor, "clip channel frame row column"]:
    """Blur each clip along rows and columns by a Gaussian of its own."""
    reach = min(round(REACH * most), *(side - 1 for side in pixels.shape[3:]))
    deviation = (most * uniform(keys, count=1, stream=BLUR)).clamp(min=0.05)
    offsets = torch.arange(-reach, reach + 1, device=pixels.device)
    kernel = (-(offsets**2) / (2 * deviation**2)).exp()
    kernel = kernel / kernel.sum(1, keepdim=True)
    clips, channels, frames, rows, columns = pixels.shape
    kernel = kernel.repeat_interleave(channels * frames, dim=0)[:, None]
    images = pixels.reshape(1, clips * channels * frames, rows, columns)
    for shape, pad in (
        (kernel[:, :, None], (reach, reach, 0, 0)),
        (kernel[..., None], (0, 0, reach, reach)),
    ):
        images = F.conv2d(F.pad(images, pad, mode="replicate"), shape, groups=len(kernel))
    return images.view_as(pixels)


def _noise(
    pixels: Float[Tensor, "clip channel frame row column"], keys: Int[Tensor, " clip"], most: float
) -> Float[Tensor, "clip channel frame row column"]:
    """Return even noise, as much of it as each clip's key decides."""
    draws = uniform(keys, count=1 + pixels[0].numel(), stream=NOISE)
    deviation = most / PIXEL_STD * draws[:, :1]
    return (math.sqrt(12) * deviation * (draws[:, 1:] - 0.5)).view_as(pixels)


def _another_time(
    pixels: Float[Tensor, "clip channel frame row column"], keys: Int[Tensor, " clip"], most: float
) -> Float[Tensor, "clip channel frame row column"]:
    """Take each frame from another time: earlier or later, and slower or faster from the middle."""
    frames = pixels.shape[2]
    shift, speed = (most * (2 * uniform(keys, count=2, stream=TIME) - 1)).unbind(1)
    from_middle = torch.arange(frames, device=pixels.device) - (frames - 1) / 2
    times = (1 + speed[:, None]) * from_middle + frames * shift[:, None] + (frames - 1) / 2
    nearest = times.round().long().clamp(0, frames - 1)
    return pixels.gather(2, nearest[:, None, :, None, None].expand_as(pixels))


def _shifted(
    pixels: Float[Tensor, "clip channel frame row column"], keys: Int[Tensor, " clip"], most: int
) -> Float[Tensor, "clip channel frame row column"]:
    """Move each clip by whole pixels along rows and columns."""
    offsets = (uniform(keys, count=2, stream=SHIFT) * (2 * most + 1)).long() - most
    for axis, offset in zip((3, 4), offsets.unbind(1), strict=True):
        side = pixels.shape[axis]
        places = torch.arange(side, device=pixels.device) + offset[:, None]
        shape = [len(pixels), 1, 1, 1, 1]
        shape[axis] = side
        pixels = pixels.gather(axis, places.clamp(0, side - 1).view(shape).expand_as(pixels))
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
