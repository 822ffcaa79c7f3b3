"""Whether two decoders show the same."""

import numpy as np
from jaxtyping import UInt8

from cinelex.data.video.decode import VideoUnsupported

MAX_APART = 12.0
"""Gray levels by which frames may differ, root mean square over blocks: colours at edges differ by
how chroma is interpolated, a mirrored or missing picture by more."""
BLOCK = 8
"""Rows and columns whose mean is compared."""


def refuse_other_pixels(
    name: str, frame: UInt8[np.ndarray, "row column 3"], reference: UInt8[np.ndarray, "_ _ 3"]
) -> None:
    """Refuse a frame that shows something else than the reference.

    Raises:
        VideoUnsupported: Names the decoder.
    """
    if frame.shape != reference.shape:
        raise VideoUnsupported(f"{name} reads frames of shape {frame.shape}")
    apart = _blocks(frame) - _blocks(reference)
    if float(np.sqrt((apart**2).mean())) > MAX_APART:
        raise VideoUnsupported(f"{name} shows other pixels than FFmpeg, or another way up")


def _blocks(frame: UInt8[np.ndarray, "row column 3"]) -> np.ndarray:
    rows, columns = (max(1, side // BLOCK) for side in frame.shape[:2])
    cut = frame[: rows * (frame.shape[0] // rows), : columns * (frame.shape[1] // columns)]
    shape = (rows, cut.shape[0] // rows, columns, cut.shape[1] // columns, 3)
    return cut.reshape(shape).astype(np.float32).mean(axis=(1, 3))
