"""Which way up a picture is shown: the eight ways that display matrices and EXIF can say."""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

from cinelex.data.video.decode import VideoUnsupported

ORIENTATION = 0x0112
"""EXIF's tag."""


@dataclass(frozen=True)
class Turn:
    """Rows and columns exchanged or not, then either reversed or not."""

    transposed: bool = False
    rows_reversed: bool = False
    columns_reversed: bool = False

    def __call__(self, pixels: UInt8[np.ndarray, "_ _ 3"]) -> UInt8[np.ndarray, "_ _ 3"]:
        """Return the pixels as they are to be shown."""
        if self.transposed:
            pixels = pixels.swapaxes(0, 1)
        if self.rows_reversed:
            pixels = pixels[::-1]
        if self.columns_reversed:
            pixels = pixels[:, ::-1]
        return np.ascontiguousarray(pixels)

    def shape(self, rows: int, columns: int) -> tuple[int, int]:
        """Return rows and columns as shown."""
        return (columns, rows) if self.transposed else (rows, columns)


UPRIGHT = Turn()
ORIENTATIONS = {
    1: UPRIGHT,
    2: Turn(columns_reversed=True),
    3: Turn(rows_reversed=True, columns_reversed=True),
    4: Turn(rows_reversed=True),
    5: Turn(transposed=True),
    6: Turn(transposed=True, columns_reversed=True),
    7: Turn(transposed=True, rows_reversed=True, columns_reversed=True),
    8: Turn(transposed=True, rows_reversed=True),
}
"""EXIF's values. Source: EXIF 2.32, 4.6.4 A."""
DEGREES = {0: 1, 90: 8, 180: 3, 270: 6}
"""Turns to the left, as PyAV counts them, by EXIF's value."""


def turn_of_frame(frame: Any) -> Turn:
    """Return the turn that a decoded frame carries.

    Raises:
        VideoUnsupported: It is no multiple of 90 degrees.
    """
    try:
        matrix = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV does not know all that FFmpeg attaches, EXIF among it
        matrix = None
    if matrix is None:
        if frame.rotation % 90:
            raise VideoUnsupported(f"turned by {frame.rotation} degrees")
        return ORIENTATIONS[DEGREES[frame.rotation % 360]]
    return turn_of_matrix(bytes(matrix))


def turn_of_matrix(matrix: bytes) -> Turn:
    """Return the turn of a display matrix, nine numbers of 4 bytes.

    Column p and row q of what is shown are p = a x + c y and q = b x + d y.

    Raises:
        VideoUnsupported: It is no multiple of 90 degrees.

    Source: FFmpeg, libavutil/display.h.
    """
    a, b, _, c, d = struct.unpack("=9i", matrix[:36])[:5]
    if not b and not c and a and d:
        return Turn(rows_reversed=d < 0, columns_reversed=a < 0)
    if not a and not d and b and c:
        return Turn(transposed=True, rows_reversed=b < 0, columns_reversed=c < 0)
    raise VideoUnsupported("turned by no multiple of 90 degrees")


def turn_of_picture(path: Path) -> Turn:
    """Return the turn that a file of one picture asks for in its EXIF."""
    try:
        with Image.open(path) as picture:
            value = picture.getexif().get(ORIENTATION, 1)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return UPRIGHT  # FFmpeg says what is wrong with it
    return ORIENTATIONS.get(value, UPRIGHT) if isinstance(value, int) else UPRIGHT
