"""JPEG frames: Pillow for baseline, GDCM for the lossless and the retired ones."""

from io import BytesIO
from typing import Any, Final

import gdcm
import numpy as np
from jaxtyping import UInt8
from PIL import Image

from cinelex.data.dicom.errors import DicomError
from cinelex.data.dicom.layout import Layout

for _silence in (gdcm.Trace.WarningOff, gdcm.Trace.ErrorOff, gdcm.Trace.DebugOff):
    _silence()  # what it warns of quotes headers
FRAME_HEADERS: Final = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
"""Markers SOF0 to SOF15, and that of JPEG-LS."""


def pillow_frame(code: bytes, layout: Layout) -> UInt8[np.ndarray, "row column *channel"]:
    """Return a baseline frame as gray levels or RGB.

    What the code says of its colours (an Adobe or JFIF marker, components named R, G, B) rules;
    where it says nothing, the header does: RGB without a marker is RGB as it stands.
    """
    with Image.open(BytesIO(code), formats=("JPEG",)) as image:
        if image.size != (layout.columns, layout.rows):
            raise DicomError("frame_shape")
        if len(image.getbands()) != layout.samples:
            raise DicomError("pixel_format")
        says_nothing = not {"adobe", "jfif"} & image.info.keys()
        if layout.photometric == "RGB" and says_nothing:
            image.draft("YCbCr", image.size)  # "take it for YCbCr and leave it so"
        return np.asarray(image)


def gdcm_frame(code: bytes, layout: Layout) -> np.ndarray[Any, np.dtype[Any]]:
    """Return a frame of any JPEG as it is stored, samples of one pixel side by side.

    On some corrupt codes GDCM aborts the process: call it where that costs one file and no more.
    """
    precision, *shape = frame_header(code)
    if shape != [layout.rows, layout.columns, layout.samples]:
        raise DicomError("frame_shape")
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(code)
    sequence = gdcm.SequenceOfFragments.New()
    sequence.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(sequence.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((layout.columns, layout.rows, 1))
    image.SetDataElement(element)
    photometric = gdcm.PhotometricInterpretation.GetPIType(layout.photometric)
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(photometric))
    syntax = gdcm.TransferSyntax.GetTSType(layout.transfer_syntax)
    image.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    signed = int(layout.signed)
    allocated = 8 if precision <= 8 else 16
    image.SetPixelFormat(
        gdcm.PixelFormat(layout.samples, allocated, precision, precision - 1, signed)
    )
    # its buffer is a char*, which Python's wrapper takes for text
    decoded = image.GetBuffer().encode("utf-8", "surrogateescape")
    frame = np.frombuffer(decoded, f"<u{allocated // 8}").reshape(shape)
    return frame if layout.samples == 3 else frame[..., 0]


def frame_header(code: bytes) -> tuple[int, int, int, int]:
    """Return precision in bits, rows, columns and components, as a JPEG or JPEG-LS code has them.

    Raises:
        DicomError: It has no frame header.
    """
    place = 2
    while place + 10 <= len(code) and code[place] == 0xFF:
        marker, length = code[place + 1], int.from_bytes(code[place + 2 : place + 4], "big")
        if marker in FRAME_HEADERS:
            rows, columns = (
                int.from_bytes(code[at : at + 2], "big") for at in (place + 5, place + 7)
            )
            return code[place + 4], rows, columns, code[place + 9]
        place += 2 + length
    raise DicomError("corrupt_pixels")
