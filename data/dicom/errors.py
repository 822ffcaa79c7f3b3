"""Why a file is not taken, said without a word of what stands in it."""

import struct
import zlib
from typing import Final

REASONS: Final = {
    "one_frame": "a single frame",
    "not_dicom": "not a DICOM file",
    "dicomdir": "a DICOMDIR: an index of files, no image",
    "no_pixels": "no pixel data: a report, a document, a presentation state or the like",
    "empty": "0 bytes",
    "unreadable": "the system could not read it",
    "broken_header": "the header cannot be parsed",
    "cut_header": "the file ends inside its header",
    "large_header": "the header is larger than any real one",
    "no_transfer_syntax": "no transfer syntax is stated",
    "transfer_syntax": "no decoder for its transfer syntax",
    "frame_count": "the number of frames is no positive whole number",
    "frame_size": "rows or columns are missing, doubled or zero",
    "frames_without_pixels": "several frames are stated and no pixel data is there",
    "not_over_time": "its frames are slices, tiles or planes, not moments",
    "axis_unknown": "nothing says that its frames are moments",
    "modality": "a modality that was not asked for",
    "pixel_format": "bits, samples or photometric interpretation that are no cine's",
    "too_large": "more pixels than the limits allow",
    "cut_pixels": "the file ends inside its pixel data",
    "frames_differ": "the decoder gave another number of frames than the header states",
    "frame_shape": "a frame has another size than the header states",
    "corrupt_pixels": "the pixel data cannot be decoded",
    "palette": "the colour palette is missing or broken",
}
"""Every reason code, and what it says to a person."""

NOT_IMAGES: Final = frozenset({"not_dicom", "dicomdir", "no_pixels"})
"""Reasons of files that are in order and simply no image."""

BROKEN: Final = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What the DICOM libraries raise on damaged files; their messages may quote patients' data."""


class DicomError(ValueError):
    """A file that is not taken; ``reason`` is a key of ``REASONS``, the message its sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(REASONS[reason])
        self.reason = reason


def reason_of(error: OSError, damaged: str) -> str:
    """Return "unreadable" for an error of the system; the libraries' own say that it is damaged."""
    return damaged if error.errno is None else "unreadable"
