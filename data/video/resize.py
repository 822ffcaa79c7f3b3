"""Frames to one size and one number of channels."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import UInt8
from PIL import Image

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
    frame: UInt8[np.ndarray, "row column _"], *, shape: Shape
) -> UInt8[np.ndarray, "size size channel"]:
    """Return a gray or RGB frame scaled with a triangle filter that averages what it shrinks.

    A frame that has the size already is not resampled.
    """
    pixels = frame
    if frame.shape[2] == 1:
        pixels = frame[:, :, 0] if shape.channels == 1 else np.repeat(frame, 3, axis=2)
    elif shape.channels == 1:
        pixels = np.rint(frame.astype(np.float32) @ LUMA).astype(np.uint8)
    rows, columns = frame.shape[:2]
    side = min(rows, columns) if shape.fit == "crop" else max(rows, columns)
    new_rows = max(1, round(rows * shape.size / side))
    new_columns = max(1, round(columns * shape.size / side))
    if (new_rows, new_columns) != (rows, columns):
        scaled = Image.fromarray(pixels).resize((new_columns, new_rows), Image.Resampling.BILINEAR)
        pixels = np.asarray(scaled)
    return _fit(pixels.reshape(new_rows, new_columns, shape.channels), shape.size)


def _fit(
    frame: UInt8[np.ndarray, "row column channel"], size: int
) -> UInt8[np.ndarray, "size size channel"]:
    """Cut or fill both axes to ``size``, in the middle."""
    rows, columns = frame.shape[:2]
    top, left = max(0, rows - size) // 2, max(0, columns - size) // 2
    frame = frame[top : top + size, left : left + size]
    above, before = (size - frame.shape[0]) // 2, (size - frame.shape[1]) // 2
    whole = np.zeros((size, size, frame.shape[2]), np.uint8)
    whole[above : above + frame.shape[0], before : before + frame.shape[1]] = frame
    return whole
