"""The frames of one cine as a viewer shows them, in 8 bit."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
from jaxtyping import UInt8

from cinelex.data.dicom.color import rgb
from cinelex.data.dicom.decode import Run, Stored, stored_frames
from cinelex.data.dicom.display import display
from cinelex.data.dicom.errors import BROKEN, DicomError, reason_of
from cinelex.data.dicom.header import Header, quiet, read_header
from cinelex.data.dicom.layout import Layout, layout
from cinelex.data.dicom.palette import palette
from cinelex.data.dicom.record import FileRecord

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
        return _filled(plan, 3, (_colours(run, space) for run, space in stored)), "as stored"
    if plan.photometric == "PALETTE COLOR":
        colours = palette(header.dataset, codes=1 << plan.bits_allocated)
        return _filled(plan, 3, _of_palette(stored, colours)), "as stored"
    way = display(header.dataset, plan)
    if way.table is not None:
        identity = len(way.table) == 256 and bool((way.table == np.arange(256)).all())
        table = None if identity else way.table
        return _filled(plan, 1, _of_table(stored, table)), "as stored" if identity else "header"
    kept = list(stored)
    table = way.stretched([run for run, _ in kept])
    return _filled(plan, 1, _of_table(kept, table)), "percentile"


def _counted(stored: Iterator[Stored], plan: Layout) -> Iterator[Stored]:
    """Yield what is decoded, of the stated size, and raise unless as many as stated came."""
    count = 0
    for run, space in stored:
        count += len(run)
        if count > plan.frames:
            raise DicomError("frames_differ")
        if run.shape[1:3] != (plan.rows, plan.columns):
            raise DicomError("frame_shape")
        if run.itemsize * 8 > plan.bits_allocated:
            raise DicomError("pixel_format")
        yield run, space
    if count != plan.frames:
        raise DicomError("frames_differ")


def _filled(
    plan: Layout, channels: int, runs: Iterable[Run]
) -> UInt8[np.ndarray, "frame row column channel"]:
    """Return all frames; where they come as one run, that run itself."""
    result = np.empty((plan.frames, plan.rows, plan.columns, channels), np.uint8)
    filled = 0
    for run in runs:
        whole = run.reshape(len(run), plan.rows, plan.columns, channels)
        if len(run) == plan.frames:
            result = whole
        else:
            result[filled : filled + len(run)] = whole
        filled += len(run)
    return result


def _colours(run: Run, space: str) -> Run:
    if space in {"YBR_FULL", "YBR_FULL_422"}:
        return np.stack([rgb(frame) for frame in run])
    return np.ascontiguousarray(run)


def _of_table(stored: Iterable[Stored], table: UInt8[np.ndarray, " code"] | None) -> Iterator[Run]:
    """Yield frames by a table of what each stored code becomes; None leaves them.

    Arrow looks codes up as they are, in half the time of numpy, which makes 64 bit of them first.
    """
    levels = None if table is None else pa.array(table)
    for run, _ in stored:
        if levels is None:
            yield run
        else:
            codes = np.ascontiguousarray(run, run.dtype.newbyteorder("="))
            yield levels.take(pa.array(codes.ravel())).to_numpy().reshape(run.shape)


def _of_palette(stored: Iterable[Stored], colours: UInt8[np.ndarray, "code 3"]) -> Iterator[Run]:
    """Yield frames by the colour of each stored code, whose bytes are looked up as one word."""
    words = np.pad(colours, ((0, 0), (0, 1))).view(np.uint32)[:, 0]
    for run, _ in stored:
        for frame in run:
            yield np.take(words, frame).view(np.uint8).reshape(1, *frame.shape, 4)[..., :3]
