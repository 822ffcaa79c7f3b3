"""What moves in a cine, and where it is one piece."""

from typing import Final

import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy import ndimage

MAX_SAMPLES: Final = 16
"""Pairs of frames that are compared."""
QUANTILE: Final = 0.75
"""Of the changes of a pixel: what changes seldom, as a trace that is drawn once, does not move."""
MIN_CHANGE: Final = 1.5
"""Gray levels; a still picture in a lossy code changes less."""
SHARE: Final = 0.4
"""Of the change of a pixel in the middle: codes smear less of it over a block beside the beam."""

Gray = UInt8[np.ndarray, "frame row column"]
Pairs = UInt8[np.ndarray, "pair row column"]
Mask = Bool[np.ndarray, "row column"]


def brightness(frames: UInt8[np.ndarray, "frame row column channel"]) -> Gray:
    """Return the largest channel of every pixel."""
    return frames[..., 0] if frames.shape[-1] == 1 else frames.max(-1)


def pairs(frames: UInt8[np.ndarray, "frame row column channel"]) -> tuple[Pairs, Pairs]:
    """Return frames from all over a cine and those that follow them, as brightness."""
    count = min(len(frames) - 1, MAX_SAMPLES)
    first = np.unique(np.linspace(0, len(frames) - 2, count).astype(int))
    return brightness(frames[first]), brightness(frames[first + 1])


def change(before: Pairs, after: Pairs) -> Float[np.ndarray, "row column"]:
    """Return by how many levels each pixel changes from frame to frame, at an upper quantile."""
    steps = np.maximum(before, after) - np.minimum(before, after)
    place = int(QUANTILE * (len(steps) - 1) + 0.5)
    return np.partition(steps, place, axis=0)[place].astype(np.float32)


def moving(change: Float[np.ndarray, "row column"]) -> Mask:
    """Return the largest piece of the picture that moves, without holes."""
    lively = change[change >= MIN_CHANGE]
    if lively.size == 0:
        return np.zeros(change.shape, bool)
    threshold = max(MIN_CHANGE, SHARE * float(np.median(lively)))
    return largest_piece(change >= threshold)


def largest_piece(mask: Mask) -> Mask:
    """Return the largest connected piece once gaps are closed and threads cut, without holes."""
    near = np.ones((3, 3), bool)
    closed = ndimage.binary_closing(np.pad(mask, 4), near, iterations=2)[4:-4, 4:-4]
    opened = ndimage.binary_opening(closed, near)
    labels, count = ndimage.label(opened)
    if count == 0:
        return opened
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return ndimage.binary_fill_holes(labels == sizes.argmax())
