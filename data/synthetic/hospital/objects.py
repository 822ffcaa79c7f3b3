"""What lies among the cines of a study: stills, screenshots, documents, slices, rubbish."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from cinelex.data.synthetic.hospital.burned import Board
from cinelex.data.synthetic.hospital.headers import base_header
from cinelex.data.synthetic.hospital.people import uid
from cinelex.data.synthetic.hospital.truth import Kind
from cinelex.data.synthetic.hospital.visits import Visit

US_STILL: Final = "1.2.840.10008.5.1.4.1.1.6.1"
XRAY: Final = "1.2.840.10008.5.1.4.1.1.12.1"
CAPTURE: Final = "1.2.840.10008.5.1.4.1.1.7"
REPORT: Final = "1.2.840.10008.5.1.4.1.1.88.33"
DOCUMENT: Final = "1.2.840.10008.5.1.4.1.1.104.1"
PRESENTATION: Final = "1.2.840.10008.5.1.4.1.1.11.1"
ROTATION: Final = "1.2.840.10008.5.1.4.1.1.13.1.1"
INDEX: Final = "1.2.840.10008.1.3.10"
SIDE: Final = 64
"""Rows and columns of what is no cine."""


@dataclass(frozen=True)
class Oddity:
    """A file of a study that is no cine."""

    header: Dataset
    kind: Kind
    reason: str
    also_ok: str = ""


def still(visit: Visit, number: int, draw: np.random.Generator) -> Oddity:
    """Return a single frame of the machine, with or without a number of frames."""
    sop_class = US_STILL if visit.machine.modality == "US" else XRAY
    header = base_header(visit, sop_class=sop_class, modality=visit.machine.modality, number=number)
    if draw.random() < 0.5:
        header.NumberOfFrames = "1"
    _paint(header, visit, draw, frames=1)
    return Oddity(header, "still", "one_frame")


def capture(visit: Visit, number: int, draw: np.random.Generator) -> Oddity:
    """Return a screenshot, which names the patient."""
    header = base_header(visit, sop_class=CAPTURE, modality="OT", number=number)
    header.ConversionType = "WSD"
    header.BurnedInAnnotation = "YES"
    _paint(header, visit, draw, frames=1)
    return Oddity(header, "still", "one_frame", also_ok="refused")


def stack(visit: Visit, number: int, draw: np.random.Generator) -> Oddity:
    """Return several frames that are slices of a volume."""
    header = base_header(visit, sop_class=ROTATION, modality="XA", number=number)
    header.NumberOfFrames = "6"
    header.FrameIncrementPointer = Tag("SliceVector")
    header.SliceVector = list(range(1, 7))
    _paint(header, visit, draw, frames=6)
    return Oddity(header, "refused", "not_over_time")


def structured_report(visit: Visit, number: int, draw: np.random.Generator) -> Oddity:
    """Return measurements in words."""
    header = base_header(visit, sop_class=REPORT, modality="SR", number=number)
    header.ValueType = "CONTAINER"
    header.ContinuityOfContent = "SEPARATE"
    header.CompletionFlag, header.VerificationFlag = "COMPLETE", "VERIFIED"
    line = Dataset()
    line.RelationshipType, line.ValueType = "CONTAINS", "TEXT"
    line.TextValue = f"{visit.patient.name.family}: {visit.phrase}, {draw.integers(40, 70)} %"
    header.ContentSequence = Sequence([line])
    return Oddity(header, "not_image", "report")


def document(visit: Visit, number: int, draw: np.random.Generator) -> Oddity:
    """Return a PDF inside DICOM."""
    header = base_header(visit, sop_class=DOCUMENT, modality="OT", number=number)
    header.MIMETypeOfEncapsulatedDocument = "application/pdf"
    header.DocumentTitle = f"Letter about {visit.patient.name.family}"
    header.BurnedInAnnotation = "YES"
    text = f"BT /F1 12 Tf 9 99 Td ({visit.patient.name.screen} {draw.integers(10**6)}) Tj ET"
    body = f"%PDF-1.4\n1 0 obj<</Length {len(text)}>>stream\n{text}\nendstream endobj\n%%EOF\n"
    header.EncapsulatedDocument = body.encode() + b"\n" * (len(body) % 2)
    return Oddity(header, "not_image", "document")


def presentation(visit: Visit, number: int, draw: np.random.Generator) -> Oddity:
    """Return how somebody wants to see a picture of the study."""
    header = base_header(visit, sop_class=PRESENTATION, modality="PR", number=number)
    header.ContentLabel = "ZQVIEW"
    header.ContentDescription = f"As {visit.reader.family} saw it"
    header.ContentCreatorName = visit.reader.dicom
    header.PresentationLUTShape = ("IDENTITY", "INVERSE")[int(draw.integers(2))]
    return Oddity(header, "not_image", "presentation")


def index(visit: Visit, number: int, draw: np.random.Generator) -> Oddity:
    """Return the index of a disc, with the patient's name in its records."""
    header = Dataset()
    header.SOPClassUID = INDEX
    header.SOPInstanceUID = uid(visit.study_uid, "instance", number)
    header.FileSetID = "ZQDISC"
    header.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 0
    header.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = 0
    header.FileSetConsistencyFlag = 0
    record = Dataset()
    record.OffsetOfTheNextDirectoryRecord = record.OffsetOfReferencedLowerLevelDirectoryEntity = 0
    record.RecordInUseFlag = 65535
    record.DirectoryRecordType = "PATIENT"
    record.PatientName, record.PatientID = visit.patient.name.dicom, visit.patient.id
    header.DirectoryRecordSequence = Sequence([record])
    return Oddity(header, "not_image", "index")


MAKERS: Final[dict[str, Callable[[Visit, int, np.random.Generator], Oddity]]] = {
    "still": still, "report": structured_report, "capture": capture, "document": document,
    "stack": stack, "presentation": presentation, "index": index,
}  # fmt: skip
"""What makes each kind of object, by name."""


def _paint(header: Dataset, visit: Visit, draw: np.random.Generator, *, frames: int) -> None:
    """Give an object gray pixels, with the patient's name burned in."""
    board = Board(SIDE, SIDE, text_height=8)
    board.write(visit.patient.name.screen, 1, 1)
    pixels = draw.integers(20, 120, size=(frames, SIDE, SIDE), dtype=np.uint8)
    pixels[:, board.covered] = 255
    header.Rows = header.Columns = SIDE
    header.SamplesPerPixel = 1
    header.PhotometricInterpretation = "MONOCHROME2"
    header.BitsAllocated = header.BitsStored = 8
    header.HighBit, header.PixelRepresentation = 7, 0
    header.PixelData = pixels.tobytes()
    header["PixelData"].VR = "OB"
