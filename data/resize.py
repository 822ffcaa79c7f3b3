"""Frames to one size and one number of channels."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from jaxtyping import Float32, UInt8

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""BT.601's weights of red, green and blue."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a stored frame looks like."""

    size: int
    """Rows and columns of the result."""
    channels: Literal[1, 3] = 3
    """3 is RGB, 1 is luma."""
    fit: Literal["crop", "pad"] = "crop"
    """"crop": the short side becomes ``size``, the middle of the long side is kept. "pad": the long
    side becomes ``size``, the short side is filled with black on both sides."""


def reshape_frame(
    frame: UInt8[np.ndarray, "row column 3"], *, shape: Shape
) -> UInt8[np.ndarray, "size size channel"]:
    """Return a frame scaled with a triangle filter that averages what it shrinks."""
    rows, columns = frame.shape[:2]
    pixels = frame.astype(np.float32)
    if shape.channels == 1:
        pixels = (pixels @ LUMA)[..., None]
    side = min(rows, columns) if shape.fit == "crop" else max(rows, columns)
    new_rows = max(1, round(rows * shape.size / side))
    new_columns = max(1, round(columns * shape.size / side))
    if (new_rows, new_columns) != (rows, columns):
        pixels = _scale(_scale(pixels, 0, new_rows), 1, new_columns)
    whole = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
    return _fit(whole, shape.size)


def _fit(
    frame: UInt8[np.ndarray, "row column channel"], size: int
) -> UInt8[np.ndarray, "size size channel"]:
    """Cut or fill both axes to ``size``, in the middle."""
    for axis in (0, 1):
        spare = frame.shape[axis] - size
        if spare > 0:
            start = spare // 2
            frame = frame[start : start + size] if axis == 0 else frame[:, start : start + size]
        elif spare < 0:
            widths = [(0, 0)] * 3
            widths[axis] = (-spare // 2, -spare - -spare // 2)
            frame = np.pad(frame, widths)
    return np.ascontiguousarray(frame)


def _scale(
    pixels: Float32[np.ndarray, "row column channel"], axis: int, new: int
) -> Float32[np.ndarray, "newrow newcolumn channel"]:
    """Resample one axis."""
    old = pixels.shape[axis]
    if old == new:
        return pixels
    weights = triangle_weights(old, new)
    if axis == 0:
        flat = weights @ pixels.reshape(old, -1)
        return flat.reshape(new, *pixels.shape[1:])
    return np.ascontiguousarray(np.matmul(weights, pixels))


@lru_cache(maxsize=64)
def triangle_weights(old: int, new: int) -> Float32[np.ndarray, "new old"]:
    """Return the matrix that resamples ``old`` points to ``new``; every row sums to one.

    Source: torch.nn.functional.interpolate(mode="bilinear", antialias=True), and Pillow before it.
    """
    scale = old / new
    support = max(scale, 1.0)
    centres = (np.arange(new)[:, None] + 0.5) * scale
    distance = np.abs(np.arange(old)[None, :] + 0.5 - centres) / support
    weights = np.clip(1 - distance, 0, None)
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)
