"""What a person sees of a mask that is not certain."""

import io

import numpy as np
from jaxtyping import UInt8
from PIL import Image

SIDE = 360
"""Pixels of the longer side of each of the two pictures."""
QUALITY = 70


def preview(frames: UInt8[np.ndarray, "frame row column channel"]) -> bytes:
    """Return a JPEG of masked frames: the middle one, and beside it the brightest of each pixel.

    What stands still, such as text that a mask has missed, is plain in the second.
    """
    pictures = [_scaled(frames[len(frames) // 2]), _scaled(frames.max(axis=0))]
    both = Image.new("RGB", (pictures[0].width * 2 + 4, pictures[0].height), (90, 90, 90))
    both.paste(pictures[0], (0, 0))
    both.paste(pictures[1], (pictures[0].width + 4, 0))
    out = io.BytesIO()
    both.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def _scaled(frame: UInt8[np.ndarray, "row column channel"]) -> Image.Image:
    image = Image.fromarray(np.squeeze(frame, 2) if frame.shape[2] == 1 else frame).convert("RGB")
    image.thumbnail((SIDE, SIDE))
    return image
