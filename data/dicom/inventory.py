"""What a file is, by its header alone: a cine, a still, no image, or refused with a reason."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pydicom.dataset import Dataset

from cinelex.data.dicom.axis import ANGIOGRAPHY, ENHANCED_XA, ULTRASOUND, check_axis
from cinelex.data.dicom.codecs import SUPPORTED, is_encapsulated, is_video
from cinelex.data.dicom.columns import allowed_columns, identity
from cinelex.data.dicom.errors import NOT_IMAGES, DicomError
from cinelex.data.dicom.header import Header, quiet, read_header
from cinelex.data.dicom.limits import Limits
from cinelex.data.dicom.record import FileRecord, Kind
from cinelex.data.dicom.timing import frame_times
from cinelex.data.dicom.values import code, text, whole

DEFAULT_MODALITIES: Final = ("US", "XA")
ON_REQUEST: Final = ("XA_ENHANCED", "RF", "IVUS")
"""What is a cine too where it is asked for."""
PHOTOMETRIC_SAMPLES: Final = {
    "MONOCHROME1": 1, "MONOCHROME2": 1, "PALETTE COLOR": 1, "RGB": 3, "YBR_FULL": 3,
    "YBR_FULL_422": 3, "YBR_PARTIAL_420": 3, "YBR_PARTIAL_422": 3, "YBR_ICT": 3, "YBR_RCT": 3,
}  # fmt: skip
"""Samples a pixel of every photometric interpretation that a cine may have."""


def inspect(
    path: Path,
    *,
    modalities: Sequence[str] = DEFAULT_MODALITIES,
    limits: Limits | None = None,
) -> FileRecord:
    """Return what a file is, from its header; never raises, whatever the file holds.

    Neither its name nor its extension is looked at, and no pixel is read.

    Args:
        path: The file.
        modalities: Of which cines are wanted; stills are stills whatever their modality.
        limits: What is refused for its size.
    """
    try:
        header = read_header(path)
    except DicomError as error:
        return FileRecord(kind=_kind(error.reason), reason=error.reason)
    with quiet():
        return _record(header, modalities, limits or Limits())


def _kind(reason: str) -> Kind:
    if reason == "one_frame":
        return "still"
    return "not_image" if reason in NOT_IMAGES else "refused"


def _record(header: Header, modalities: Sequence[str], limits: Limits) -> FileRecord:
    dataset = header.dataset
    columns: dict[str, Any] = {
        **allowed_columns(dataset),
        "modality": _modality(dataset),
        "transfer_syntax": header.transfer_syntax,
        "identity": identity(dataset),
    }
    try:
        columns |= _picture(header)
        _check(header, columns, modalities, limits)
    except DicomError as error:
        return FileRecord(kind=_kind(error.reason), reason=error.reason, **columns)
    times, source, conflict = frame_times(dataset, columns["frames"])
    columns |= {"frame_times_ms": times, "time_source": source, "time_conflict": conflict}
    return FileRecord(kind="cine", **columns)


def _picture(header: Header) -> dict[str, Any]:
    """Return the columns that say how large the image is and how it is stored."""
    dataset = header.dataset
    frames = whole(dataset, "NumberOfFrames", absent=1, reason="frame_count")
    if not header.pixels:
        raise DicomError("no_pixels" if frames == 1 else "frames_without_pixels")
    return {
        "frames": frames,
        "rows": whole(dataset, "Rows", absent=None, reason="frame_size"),
        "columns": whole(dataset, "Columns", absent=None, reason="frame_size"),
        "samples": whole(dataset, "SamplesPerPixel", absent=1, reason="pixel_format"),
        "bits_allocated": whole(dataset, "BitsAllocated", absent=None, reason="pixel_format"),
        "bits_stored": whole(dataset, "BitsStored", absent=0, reason="pixel_format"),
        "photometric": text(dataset, "PhotometricInterpretation", longest=16),
    }


def _modality(dataset: Dataset) -> str:
    """Return the modality; where none is stated, that of the SOP class."""
    sop_class = text(dataset, "SOPClassUID")
    if sop_class == ENHANCED_XA:
        return "XA_ENHANCED"
    stated = code(dataset, "Modality")
    if stated:
        return stated
    if sop_class in ULTRASOUND:
        return "US"
    return "XA" if sop_class in ANGIOGRAPHY else ""


def _check(
    header: Header, columns: dict[str, Any], modalities: Sequence[str], limits: Limits
) -> None:
    """Refuse what is no cine, for the reason that tells most about it."""
    if columns["frames"] < 1:
        raise DicomError("frame_count")
    if min(columns["rows"], columns["columns"]) < 1:
        raise DicomError("frame_size")
    if columns["frames"] == 1:
        raise DicomError("one_frame")
    check_axis(header.dataset)
    if columns["modality"] not in modalities:
        raise DicomError("modality")
    if not header.transfer_syntax:
        raise DicomError("no_transfer_syntax")
    if header.transfer_syntax not in SUPPORTED:
        raise DicomError("transfer_syntax")
    _check_format(header, columns)
    _check_size(header, columns, limits)


def _check_format(header: Header, columns: dict[str, Any]) -> None:
    samples, allocated = columns["samples"], columns["bits_allocated"]
    deepest = 16 if samples == 1 and not is_video(header.transfer_syntax) else 8
    known = PHOTOMETRIC_SAMPLES.get(columns["photometric"]) == samples
    if header.pixels != "integer" or not known or allocated not in {8, 16}:
        raise DicomError("pixel_format")
    if allocated > deepest or not 0 <= columns["bits_stored"] <= allocated:
        raise DicomError("pixel_format")


def _check_size(header: Header, columns: dict[str, Any], limits: Limits) -> None:
    frames, rows, across = columns["frames"], columns["rows"], columns["columns"]
    pixels = frames * rows * across
    channels = 3 if columns["photometric"] == "PALETTE COLOR" else columns["samples"]
    held = pixels * max(channels, columns["samples"] * columns["bits_allocated"] // 8)
    if max(rows, across) > limits.max_side or frames > limits.max_frames or held > limits.max_bytes:
        raise DicomError("too_large")
    left = header.size - header.offset
    if header.length is not None and header.length > left:
        raise DicomError("cut_pixels")
    if not is_encapsulated(header.transfer_syntax):
        bits = columns["samples"] * columns["bits_allocated"]
        if columns["photometric"] == "YBR_FULL_422":
            bits = 2 * columns["bits_allocated"]
        if pixels * bits // 8 > (left if header.length is None else header.length):
            raise DicomError("cut_pixels")
