"""Pictures of several frames that FFmpeg does not read, or not as they are meant, with Pillow."""

import struct
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

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
    VideoUnsupported,
)
from cinelex.data.video.sniff import head_of, picture_format
from cinelex.data.video.transparency import over_white
from cinelex.data.video.turns import ORIENTATION, turn_of_picture

DAMAGED = (ArithmeticError, EOFError, LookupError, OSError, SyntaxError, TypeError, ValueError)
"""What Pillow raises over a damaged file, beside the errors of its unpacking."""
SUBFILE, REDUCED = 254, 1
"""The tag of a page of TIFF, and its bit for a small copy of another page."""


def is_of_pillow(path: Path) -> bool:
    """Return whether a file is an animated WebP, a stack of TIFF, or a JPEG with previews.

    Of a stack FFmpeg reads the first page alone; the previews behind a JPEG it takes for frames.
    """
    head = head_of(path)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return picture_format(path) is None
    if picture_format(path) not in ("tiff_pipe", "jpeg_pipe"):
        return False
    try:
        with Image.open(path) as picture:
            pages: int = getattr(picture, "n_frames", 1)
            return pages > 1
    except (*DAMAGED, struct.error, Image.DecompressionBombError):
        return False  # FFmpeg says what is wrong with it


def sweep_pictures(
    path: Path, choose: Choose, keep: Keep, limits: Limits
) -> tuple[VideoInfo, dict[int, UInt8[np.ndarray, "..."]]]:
    """Decode every frame and return those chosen, by index, as ``keep`` makes them."""
    clock = Clock(limits)
    kept: dict[int, UInt8[np.ndarray, "..."]] = {}
    durations = []
    try:
        with Image.open(path) as picture:
            pages = _pages(picture)
            check_size(*picture.size, len(pages), limits)
            turn = turn_of_picture(path)
            size = None
            wanted = frozenset(choose(len(pages)))
            for index, page in enumerate(pages):
                clock.check(index + 1)
                picture.seek(page)
                picture.load()
                if size not in (None, picture.size):
                    raise VideoUnsupported(f"the frame size changes at frame {index}")
                size = picture.size
                durations.append(float(picture.info.get("duration", 0)))
                if index in wanted:
                    kept[index] = keep(turn(_rgb(picture)))
    except VideoError:
        raise
    except Image.DecompressionBombError as error:
        raise VideoTooLarge("its frames are larger than Pillow reads") from error
    except (*DAMAGED, struct.error) as error:
        raise VideoCorrupt("its frames cannot be decoded") from error
    times = tuple(accumulate(durations[:-1], initial=0.0)) if all(durations) else None
    assert size is not None
    return VideoInfo(len(pages), *turn.shape(size[1], size[0]), times), kept


def _pages(picture: Any) -> Sequence[int]:
    """Return the frames of a picture: not its previews, nor its smaller copies.

    Raises:
        VideoUnsupported: Pages are turned, which Pillow does for some kinds of pixels itself.
    """
    if picture.format == "MPO":
        return [0]
    if picture.format != "TIFF":
        return range(picture.n_frames)
    pages = []
    for page in range(picture.n_frames):
        picture.seek(page)
        if picture.tag_v2.get(ORIENTATION, 1) != 1:
            raise VideoUnsupported("it is a stack of TIFF that is turned; write it upright")
        if not picture.tag_v2.get(SUBFILE, 0) & REDUCED:
            pages.append(page)
    picture.seek(0)
    return pages or [0]


def _rgb(picture: Image.Image) -> UInt8[np.ndarray, "_ _ 3"]:
    """Return pixels of 8 bits; of 16 the upper half, as FFmpeg does.

    Raises:
        VideoUnsupported: They are of other numbers, whose black and white nobody says.
    """
    if picture.mode.startswith("I;16"):
        high = (np.asarray(picture).astype(np.uint16) >> 8).astype(np.uint8)
        return np.repeat(high[..., None], 3, axis=2)
    if picture.mode in ("I", "F"):
        raise VideoUnsupported("its pixels have 32 bits; write them with 8 or 16")
    if picture.has_transparency_data:
        return over_white(np.asarray(picture.convert("RGBA")))
    return np.asarray(picture.convert("RGB"))
