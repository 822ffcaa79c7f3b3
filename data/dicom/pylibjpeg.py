"""RLE and JPEG 2000 frames, through the libraries of the pylibjpeg family."""

from typing import Any

import numpy as np
from openjpeg.utils import decode, get_parameters
from rle.utils import decode_pixel_data

from cinelex.data.dicom.errors import DicomError
from cinelex.data.dicom.layout import Layout


def openjpeg_frame(code: bytes, layout: Layout) -> np.ndarray[Any, np.dtype[Any]]:
    """Return a JPEG 2000 frame as it is stored; its own colour transformation is undone."""
    found = get_parameters(code)
    if (found["rows"], found["columns"]) != (layout.rows, layout.columns):
        raise DicomError("frame_shape")  # before anything of that size is allocated
    if found["samples_per_pixel"] != layout.samples:
        raise DicomError("pixel_format")
    return decode(code).astype(layout.dtype, copy=False)


def rle_frame(code: bytes, layout: Layout) -> np.ndarray[Any, np.dtype[Any]]:
    """Return an RLE frame as it is stored."""
    decoded = decode_pixel_data(
        code,
        version=2,
        rows=layout.rows,
        columns=layout.columns,
        bits_allocated=layout.bits_allocated,
    )
    planes = np.frombuffer(decoded, f"<u{layout.bits_allocated // 8}")
    planes = planes.reshape(layout.samples, layout.rows, layout.columns)
    return planes[0] if layout.samples == 1 else np.moveaxis(planes, 0, 2)
