"""The frames of one cine as a viewer shows them, in 8 bit."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import pyarrow as pa
from jaxtyping import Int, UInt8

from cinelex.data.dicom.color import rgb
from cinelex.data.dicom.decode import Frame, Stored, stored_frames
from cinelex.data.dicom.display import display
from cinelex.data.dicom.errors import BROKEN, DicomError, reason_of
from cinelex.data.dicom.header import Header, quiet, read_header
from cinelex.data.dicom.layout import Layout, layout
from cinelex.data.dicom.palette import palette
from cinelex.data.dicom.record import FileRecord

MAX_COUNTED: Final = 1_000_000
"""Pixels from which percentiles are taken."""
Shown = Literal["as stored", "header", "percentile"]


@dataclass(frozen=True)
class Cine:
    """One cine, ready to be masked and stored."""

    frames: UInt8[np.ndarray, "frame row column channel"]
    """One channel is gray, three are RGB."""
    frame_times_ms: tuple[float, ...] | None
    """From the first frame on; None is unknown."""
    shown: Shown
    """What made gray levels of the stored values; colours are always as stored."""


def read_cine(path: Path, record: FileRecord) -> Cine:
    """Return the frames of a file that ``inspect`` has called a cine.

    Gray levels go through the header's modality and VOI transformation, else from the 0.1 to the
    99.9 percentile of the whole cine; MONOCHROME1 is inverted; palettes and YCbCr become RGB.
    ``inspect`` has held the file against the limits, so that what is allocated here keeps them.

    Raises:
        DicomError: The pixels are cut, corrupt, or another number of frames than the header says.
        MemoryError: They do not fit.
    """
    header = read_header(path)
    try:
        plan = layout(header, record)
        with quiet():
            frames, shown = _frames(header, plan, pixel_bytes(path, header))
    except DicomError:
        raise
    except OSError as error:
        raise DicomError(reason_of(error, "corrupt_pixels")) from None
    except BROKEN:
        raise DicomError("corrupt_pixels") from None
    return Cine(frames, record.frame_times_ms, shown)


def pixel_bytes(path: Path, header: Header) -> bytes:
    """Return the value of the pixel data, to its stated length or to the end of the file."""
    stop = None if header.length is None else header.offset + header.length
    if header.inflated is not None:
        return header.inflated[header.offset : stop]
    with path.open("rb") as stream:
        stream.seek(header.offset)
        return stream.read(header.size - header.offset if header.length is None else header.length)


def _frames(
    header: Header, plan: Layout, data: bytes
) -> tuple[UInt8[np.ndarray, "frame row column channel"], Shown]:
    stored = _counted(stored_frames(data, plan), plan)
    if plan.samples == 3:
        return _colour(stored, plan), "as stored"
    if plan.photometric == "PALETTE COLOR":
        colours = palette(header.dataset, codes=1 << plan.bits_allocated)
        return _by_palette(stored, plan, colours), "as stored"
    way = display(header.dataset, plan)
    if way.table is not None:
        identity = len(way.table) == 256 and bool((way.table == np.arange(256)).all())
        table = None if identity else way.table
        return _by_table(stored, plan, table), "as stored" if identity else "header"
    kept = list(stored)
    table = way.stretched(_histogram([frame for frame, _ in kept], 1 << plan.bits_allocated))
    return _by_table(kept, plan, table), "percentile"


def _counted(stored: Iterator[Stored], plan: Layout) -> Iterator[Stored]:
    """Yield what is decoded, of the stated size, and raise unless as many as stated came."""
    count = 0
    for frame, space in stored:
        count += 1
        if count > plan.frames:
            raise DicomError("frames_differ")
        if frame.shape[:2] != (plan.rows, plan.columns):
            raise DicomError("frame_shape")
        if frame.itemsize * 8 > plan.bits_allocated:
            raise DicomError("pixel_format")
        yield frame, space
    if count != plan.frames:
        raise DicomError("frames_differ")


def _colour(stored: Iterator[Stored], plan: Layout) -> UInt8[np.ndarray, "frame row column 3"]:
    result = np.empty((plan.frames, plan.rows, plan.columns, 3), np.uint8)
    for place, (frame, space) in enumerate(stored):
        result[place] = rgb(frame) if space in {"YBR_FULL", "YBR_FULL_422"} else frame
    return result


def _by_table(
    stored: Iterable[Stored], plan: Layout, table: UInt8[np.ndarray, " code"] | None
) -> UInt8[np.ndarray, "frame row column 1"]:
    """Return frames by a table of what each stored code becomes; None leaves them.

    Arrow looks codes up as they are, in half the time of numpy, which makes 64 bit of them first.
    """
    levels = None if table is None else pa.array(table)
    result = np.empty((plan.frames, plan.rows, plan.columns, 1), np.uint8)
    for place, (frame, _) in enumerate(stored):
        if levels is None:
            result[place, ..., 0] = frame
        else:
            codes = np.ascontiguousarray(frame, frame.dtype.newbyteorder("="))
            found = levels.take(pa.array(codes.ravel())).to_numpy()
            result[place, ..., 0] = found.reshape(frame.shape)
    return result


def _by_palette(
    stored: Iterable[Stored], plan: Layout, colours: UInt8[np.ndarray, "code 3"]
) -> UInt8[np.ndarray, "frame row column 3"]:
    """Return frames by the colour of each stored code, whose bytes are looked up as one word."""
    words = np.pad(colours, ((0, 0), (0, 1))).view(np.uint32)[:, 0]
    result = np.empty((plan.frames, plan.rows, plan.columns, 3), np.uint8)
    for place, (frame, _) in enumerate(stored):
        found = np.take(words, frame).view(np.uint8)
        result[place] = found.reshape(plan.rows, plan.columns, 4)[..., :3]
    return result


def _histogram(frames: list[Frame], codes: int) -> Int[np.ndarray, " code"]:
    """Return how often each code occurs, in every n-th row of a cine of many millions of pixels."""
    every = math.ceil(sum(frame.size for frame in frames) / MAX_COUNTED)
    counts = np.zeros(codes, np.int64)
    for frame in frames:
        found = np.bincount(frame[::every].ravel())  # as long as the highest code asks for
        counts[: len(found)] += found
    return counts
