"""Whether the frames of an image are moments, or slices, tiles, planes and the like."""

from typing import Final

from pydicom.dataset import Dataset

from cinelex.data.dicom.errors import DicomError
from cinelex.data.dicom.values import functional_groups, number, numbers, text

CLASS: Final = "1.2.840.10008.5.1.4.1.1."
ENHANCED_XA: Final = f"{CLASS}12.1.1"
ULTRASOUND: Final = (f"{CLASS}3", f"{CLASS}3.1", f"{CLASS}6", f"{CLASS}6.1")
ANGIOGRAPHY: Final = (f"{CLASS}12.1", f"{CLASS}12.3", ENHANCED_XA)
FLUOROSCOPY: Final = (f"{CLASS}12.2", f"{CLASS}12.2.1")
OVER_TIME: Final = (
    *ULTRASOUND, *ANGIOGRAPHY, *FLUOROSCOPY, f"{CLASS}77.1.1.1", f"{CLASS}77.1.2.1",
    f"{CLASS}77.1.4.1",
)  # fmt: skip
"""Classes whose frames are moments unless the increment pointer says otherwise."""
IN_SPACE: Final = (
    f"{CLASS}2.1", f"{CLASS}2.2", f"{CLASS}6.2", f"{CLASS}6.3", f"{CLASS}13.1.1", f"{CLASS}13.1.2",
    f"{CLASS}13.1.3", f"{CLASS}30", f"{CLASS}66.4", f"{CLASS}66.7", f"{CLASS}77.1.5.4",
    f"{CLASS}77.1.6", f"{CLASS}128.1", f"{CLASS}130", f"{CLASS}481.2",
)  # fmt: skip
"""Enhanced CT and PET, volumes, tomosynthesis, parametric maps, segmentations, slides, doses."""
TIME_POINTERS: Final = (0x00181063, 0x00181065, 0x00181066, 0x00189151, 0x00189074)
"""FrameTime, FrameTimeVector, FrameDelay, and the functional groups' date-times of a frame."""


def check_axis(dataset: Dataset) -> None:
    """Go on where the frames are moments.

    The SOP class rules where it knows space alone; then FrameIncrementPointer, then the classes of
    cines, then the functional groups, then whether a rate is stated.

    Raises:
        DicomError: They are something else, or nothing says what they are.
    """
    sop_class = text(dataset, "SOPClassUID")
    if sop_class in IN_SPACE:
        raise DicomError("not_over_time")
    pointers = _pointers(dataset)
    if pointers:
        if not any(pointer in TIME_POINTERS for pointer in pointers):
            raise DicomError("not_over_time")
        return
    if sop_class in OVER_TIME:
        return
    _check_groups(dataset)


def _pointers(dataset: Dataset) -> list[int]:
    """Return the tags that FrameIncrementPointer names."""
    return [int(one) for one in numbers(dataset, "FrameIncrementPointer")]


def _check_groups(dataset: Dataset) -> None:
    contents = list(functional_groups(dataset, "FrameContentSequence"))
    moments = {text(content, "TemporalPositionIndex") for content in contents}
    positions = {
        text(plane, "ImagePositionPatient")
        for plane in functional_groups(dataset, "PlanePositionSequence")
    }
    if len(moments) > 1:
        return
    if len(positions) > 1:
        raise DicomError("not_over_time")
    stated = ("FrameTime", "FrameTimeVector", "CineRate", "RecommendedDisplayFrameRate")
    if not any(number(dataset, keyword) for keyword in stated):
        raise DicomError("axis_unknown")
