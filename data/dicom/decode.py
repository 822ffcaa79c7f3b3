"""Frames as they are stored: palette indices, gray levels, RGB or YCbCr."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from cinelex.data.dicom.codecs import JPEG, OPENJPEG, RLE, is_encapsulated, is_video
from cinelex.data.dicom.errors import DicomError
from cinelex.data.dicom.fragments import coded_frames, fragments
from cinelex.data.dicom.jpeg import gdcm_frame, pillow_frame
from cinelex.data.dicom.layout import Layout
from cinelex.data.dicom.pylibjpeg import openjpeg_frame, rle_frame
from cinelex.data.dicom.stream import stream_frames

Run = np.ndarray[Any, np.dtype[Any]]
"""[frame, row, column], or [frame, row, column, 3]; unsigned, signed samples as their two's
complement."""
Stored = tuple[Run, str]
"""Frames, and what their samples are: a photometric interpretation."""


def stored_frames(data: bytes, layout: Layout) -> Iterator[Stored]:
    """Yield frames with what their samples are: one by one, or all where nothing is decoded.

    Colour that the code itself has transformed (JPEG's YCbCr, JPEG 2000, video) comes as RGB.

    Raises:
        DicomError: The data are cut, corrupt, or hold frames of another number or size.
    """
    syntax = layout.transfer_syntax
    if not is_encapsulated(syntax):
        yield _native(data, layout), layout.photometric
    elif is_video(syntax):
        for frame in stream_frames(b"".join(fragments(data)), layout):
            yield frame[None], "RGB"
    else:
        for code in coded_frames(data, layout):
            decoded, space = _decoded(code, layout)
            yield decoded[None], space


def _decoded(code: bytes, layout: Layout) -> tuple[np.ndarray[Any, np.dtype[Any]], str]:
    syntax = layout.transfer_syntax
    if syntax in OPENJPEG:
        undone = layout.photometric in {"YBR_RCT", "YBR_ICT"}
        return openjpeg_frame(code, layout), "RGB" if undone else layout.photometric
    if syntax == RLE:
        return rle_frame(code, layout), layout.photometric
    if syntax in JPEG and layout.bits_stored == 8:  # what Pillow's libjpeg is built for
        frame = pillow_frame(code, layout)
        return frame, "RGB" if layout.samples == 3 else layout.photometric
    return gdcm_frame(code, layout), layout.photometric


def _native(data: bytes, layout: Layout) -> Run:
    """Return uncompressed frames; none is copied but where samples have to change places."""
    pixels = layout.rows * layout.columns
    subsampled = layout.photometric == "YBR_FULL_422"
    if subsampled and len(data) >= layout.frames * pixels * 3:
        subsampled = False  # a common mistake: it says 4:2:2 and holds every sample
    count = pixels * (2 if subsampled else layout.samples)
    size = count * layout.bits_allocated // 8
    if len(data) < layout.frames * size:
        raise DicomError("cut_pixels")
    if len(data) >= (layout.frames + 1) * size:  # less than a frame is padding
        raise DicomError("frames_differ")
    if layout.swapped and layout.bits_allocated == 8:
        data = np.frombuffer(data[: len(data) // 2 * 2], "u2").byteswap().tobytes()
    flat = np.frombuffer(data, layout.dtype, layout.frames * count)
    return _shaped(flat, layout, subsampled)


def _shaped(flat: np.ndarray[Any, np.dtype[Any]], layout: Layout, subsampled: bool) -> Run:
    frames, rows, columns = layout.frames, layout.rows, layout.columns
    if layout.samples == 1:
        return flat.reshape(frames, rows, columns)
    if subsampled:
        pairs = flat.reshape(frames, rows, columns // 2, 4)  # Y1 Y2 Cb Cr
        bright = pairs[..., :2].reshape(frames, rows, columns)
        chroma = np.repeat(pairs[..., 2:], 2, axis=2)
        return np.concatenate([bright[..., None], chroma], axis=3)
    if layout.planar == 1:
        return np.moveaxis(flat.reshape(frames, 3, rows, columns), 1, 3)
    return flat.reshape(frames, rows, columns, 3)
