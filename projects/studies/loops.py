"""A study as a small moving picture: its videos beside one another, frame by frame."""

import io
import math

import numpy as np
from jaxtyping import UInt8
from PIL import Image

MAX_BYTES = 90_000
"""Of one picture; twelve of them, as text, are half of a page of 3 MB."""
MAX_WIDTH = 512
"""Pixels of all videos side by side."""
MAX_TILE = 224
"""Pixels of one video, at most; smaller ones are shown larger by the page."""
LOOP_MS = 1600
"""How long all frames take, whatever their number: a heart beat or two."""
QUALITIES = (80, 60, 40, 20)
MIN_SIDE = 16

Clips = UInt8[np.ndarray, "clip frame row column channel"]


def moving_picture(clips: Clips) -> bytes:
    """Return an animated WebP of a study's clips that is small enough for a page with a dozen.

    Quality goes first, then size, until it fits.
    """
    frames = _tiled(clips)
    tile = min(MAX_TILE, MAX_WIDTH // _across(len(clips)), clips.shape[3])
    while True:
        scaled = [_scaled(frame, tile / clips.shape[3]) for frame in frames]
        for quality in QUALITIES:
            content = _webp(scaled, quality)
            if len(content) <= MAX_BYTES or tile <= MIN_SIDE:
                return content
        tile = max(MIN_SIDE, tile * 3 // 4)


def _across(clips: int) -> int:
    """Return how many videos stand in a row."""
    return min(4, clips) if clips <= 4 else math.ceil(math.sqrt(clips))


def _tiled(clips: Clips) -> list[Image.Image]:
    """Return each frame of all clips, in rows."""
    across = _across(len(clips))
    lines = math.ceil(len(clips) / across)
    count, frames, rows, columns, channels = clips.shape
    canvas = np.zeros((frames, lines * rows, across * columns, channels), np.uint8)
    for place in range(count):
        top, left = place // across * rows, place % across * columns
        canvas[:, top : top + rows, left : left + columns] = clips[place]
    colored = canvas if channels == 3 else np.repeat(canvas, 3, axis=-1)
    return [Image.fromarray(frame) for frame in colored]


def _scaled(frame: Image.Image, share: float) -> Image.Image:
    if share == 1:
        return frame
    size = max(1, round(frame.width * share)), max(1, round(frame.height * share))
    return frame.resize(size, Image.Resampling.LANCZOS)


def _webp(frames: list[Image.Image], quality: int) -> bytes:
    out = io.BytesIO()
    duration = max(20, LOOP_MS // len(frames))
    frames[0].save(
        out,
        "WEBP",
        save_all=True,
        append_images=frames[1:],
        duration=duration,
        loop=0,
        quality=quality,
        method=4,
    )
    return out.getvalue()
