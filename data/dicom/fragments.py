"""Encapsulated pixel data: whether they are whole, and the code of each frame."""

from itertools import pairwise

from pydicom.encaps import generate_frames

from cinelex.data.dicom.errors import DicomError
from cinelex.data.dicom.layout import Layout

ITEM = b"\xfe\xff\x00\xe0"
DELIMITER = b"\xfe\xff\xdd\xe0"


def fragments(data: bytes) -> list[memoryview]:
    """Return the fragments of an encapsulated value, without the offset table.

    Raises:
        DicomError: The data end inside an item, or something else stands where one should begin.
    """
    ends = [0]
    while ends[-1] + 8 <= len(data) and data[ends[-1] : ends[-1] + 4] != DELIMITER:
        place = ends[-1]
        if data[place : place + 4] != ITEM:
            raise DicomError("corrupt_pixels")
        ends.append(place + 8 + int.from_bytes(data[place + 4 : place + 8], "little"))
    if ends[-1] > len(data) or len(ends) < 3:
        raise DicomError("cut_pixels")
    whole = memoryview(data)
    return [whole[start + 8 : end] for start, end in pairwise(ends[1:])]


def coded_frames(data: bytes, layout: Layout) -> list[bytes]:
    """Return the code of each frame, however many fragments it has.

    Raises:
        DicomError: The fragments are cut, or make another number of frames than stated.
    """
    found = fragments(data)
    if len(found) == layout.frames:
        return [bytes(one) for one in found]
    if len(found) < layout.frames:
        raise DicomError("frames_differ")
    frames = list(
        generate_frames(data, number_of_frames=layout.frames, extended_offsets=layout.offsets)
    )
    if len(frames) != layout.frames:
        raise DicomError("frames_differ")
    return frames
