"""YCbCr to RGB, by whole-number tables."""

from typing import Any

import numpy as np
from jaxtyping import UInt8

_SIGNED = np.arange(256) - 128
_BITS = 6
_RED = np.rint(1.402 * _SIGNED).astype(np.int16)
_BLUE = np.rint(1.772 * _SIGNED).astype(np.int16)
_GREEN_OF_BLUE = np.rint(-0.344136 * (1 << _BITS) * _SIGNED).astype(np.int16)
_GREEN_OF_RED = np.rint(-0.714136 * (1 << _BITS) * _SIGNED).astype(np.int16) + (1 << (_BITS - 1))


def rgb(frame: np.ndarray[Any, np.dtype[Any]]) -> UInt8[np.ndarray, "row column 3"]:
    """Return a frame of full-range YCbCr [row, column, 3] as RGB, right to one level.

    Source: DICOM PS3.3, C.7.6.3.1.2, YBR_FULL.
    """
    bright = frame[..., 0].astype(np.int16)
    blue, red = frame[..., 1], frame[..., 2]
    green = (_GREEN_OF_BLUE[blue] + _GREEN_OF_RED[red]) >> _BITS
    planes = (bright + _RED[red], bright + green, bright + _BLUE[blue])
    result = np.empty(frame.shape, np.uint8)
    for channel, plane in enumerate(planes):
        result[..., channel] = np.clip(plane, 0, 255)
    return result
