"""Transparent pictures, as they are shown: over white."""

from typing import Any

import numpy as np
from av.video.reformatter import VideoReformatter
from jaxtyping import UInt8

WHITE = 255


def over_white(picture: UInt8[np.ndarray, "row column 4"]) -> UInt8[np.ndarray, "row column 3"]:
    """Return red, green and blue of a picture whose last channel is how opaque it is."""
    color, opaque = picture[..., :3], picture[..., 3:]
    if (opaque == WHITE).all():
        return np.ascontiguousarray(color)
    share = opaque.astype(np.float32) / WHITE
    return (color * share + WHITE * (1 - share)).round().astype(np.uint8)


def rgb_of(frame: Any, reformatter: VideoReformatter) -> UInt8[np.ndarray, "row column 3"]:
    """Return a decoded frame's pixels.

    Matrix and range are the frame's own. Chroma is repeated, not interpolated, at every bit depth,
    as it is for 8 bits by default.
    """
    clear = frame.format.has_palette or any(part.is_alpha for part in frame.format.components)
    kind = "rgba" if clear else "rgb24"
    # One thread: starting several costs more than converting a frame.
    pixels = reformatter.reformat(frame, format=kind, interpolation="POINT", threads=1).to_ndarray()
    return over_white(pixels) if clear else pixels
