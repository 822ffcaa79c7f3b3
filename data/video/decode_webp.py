"""Animated WebP, which FFmpeg does not read, with Pillow."""

from itertools import accumulate
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from cinelex.data.video.clock import Clock, check_size
from cinelex.data.video.decode import (
    Choose,
    Keep,
    Limits,
    VideoCorrupt,
    VideoError,
    VideoInfo,
    VideoTooLarge,
)
from cinelex.data.video.sniff import head_of, picture_format

DAMAGED = (OSError, SyntaxError, ValueError, EOFError)
"""What Pillow raises over a damaged file."""


def is_animated_webp(path: Path) -> bool:
    """Return whether a file is an animated WebP."""
    head = head_of(path)
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP" and picture_format(path) is None


def sweep_webp(
    path: Path, choose: Choose, keep: Keep, limits: Limits
) -> tuple[VideoInfo, dict[int, UInt8[np.ndarray, "..."]]]:
    """Decode every frame and return those chosen, by index, as ``keep`` makes them."""
    clock = Clock(limits)
    kept: dict[int, UInt8[np.ndarray, "..."]] = {}
    durations = []
    try:
        with Image.open(path) as picture:
            total: int = getattr(picture, "n_frames", 1)
            check_size(*picture.size, total, limits)
            wanted = frozenset(choose(total))
            for index in range(total):
                clock.check(index + 1)
                picture.seek(index)
                picture.load()
                durations.append(float(picture.info.get("duration", 0)))
                if index in wanted:
                    kept[index] = keep(np.asarray(picture.convert("RGB")))
            width, height = picture.size
    except VideoError:
        raise
    except Image.DecompressionBombError as error:
        raise VideoTooLarge("its frames are larger than Pillow reads") from error
    except DAMAGED as error:
        raise VideoCorrupt("its frames cannot be decoded") from error
    times = tuple(accumulate(durations[:-1], initial=0.0)) if all(durations[:-1]) else None
    return VideoInfo(total, height, width, times), kept
