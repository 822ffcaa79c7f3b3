"""Headers of a made-up hospital's files, with everything in them that must not leave it."""

from pathlib import Path
from typing import Final

import numpy as np
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from cinelex.data.synthetic.cines.views import View
from cinelex.data.synthetic.hospital.burned import text_pixels
from cinelex.data.synthetic.hospital.coding import CODINGS, Coded
from cinelex.data.synthetic.hospital.people import uid
from cinelex.data.synthetic.hospital.shown import Shown
from cinelex.data.synthetic.hospital.visits import Visit

WRITER: Final = "1.2.826.0.1.3680043.10.1729"
PRIVATE_MAKER: Final = "ZQVENDOR 7"
LATIN: Final = "ISO_IR 100"


def base_header(visit: Visit, *, sop_class: str, modality: str, number: int) -> Dataset:
    """Return what every object of a study says: patient, study, place, and the machine.

    `number` is the object's own within its study.
    """
    header = Dataset()
    header.SpecificCharacterSet = LATIN
    header.SOPClassUID = sop_class
    header.SOPInstanceUID = uid(visit.study_uid, "instance", number)
    header.StudyInstanceUID = visit.study_uid
    header.SeriesInstanceUID = uid(visit.study_uid, "series", modality)
    header.Modality = modality
    header.InstanceNumber = str(number)
    header.SeriesNumber = "1"
    _tell_patient(header, visit, odd=number % 2 == 1)
    _tell_study(header, visit)
    header.Manufacturer = visit.machine.manufacturer
    header.ManufacturerModelName = visit.machine.model
    header.StationName = "ZQSTATION"
    header.DeviceSerialNumber = f"ZQSN{visit.machine.layout}8841"
    block = header.private_block(0x0029, PRIVATE_MAKER, create=True)
    block.add_new(0x10, "UT", f"<folder>D:\\{visit.patient.name.dicom}\\{visit.accession}</folder>")
    block.add_new(0x11, "PN", visit.patient.name.dicom)
    return header


def _tell_patient(header: Dataset, visit: Visit, *, odd: bool) -> None:
    patient = visit.patient
    header.PatientName = patient.name.dicom
    header.PatientID = patient.id
    header.PatientBirthDate = patient.birth.strftime("%Y%m%d")
    header.PatientSex = patient.sex
    if odd:
        header.PatientAge = f"{visit.age:03d}Y"
    header.OtherPatientIDs = f"{patient.id}-OLD"
    header.PatientAddress = visit.site.address
    header.PatientTelephoneNumbers = "+999 5550 7711"
    header.PatientComments = f"Neighbour of {patient.name.family}"


def _tell_study(header: Dataset, visit: Visit) -> None:
    day, time = visit.when.strftime("%Y%m%d"), visit.when.strftime("%H%M%S")
    header.StudyDate = header.SeriesDate = header.AcquisitionDate = header.ContentDate = day
    header.StudyTime = header.SeriesTime = header.AcquisitionTime = header.ContentTime = time
    header.AcquisitionDateTime = day + time
    header.AccessionNumber = visit.accession
    header.StudyID = visit.accession[:10]
    header.InstitutionName = visit.site.name
    header.InstitutionAddress = visit.site.address
    header.ReferringPhysicianName = visit.referrer.dicom
    header.PerformingPhysicianName = visit.reader.dicom
    header.OperatorsName = visit.reader.dicom
    header.NameOfPhysiciansReadingStudy = visit.reader.dicom
    header.StudyDescription = f"Heart of {visit.patient.name.family}"


def tell_pixels(header: Dataset, shown: Shown, coded: Coded) -> None:
    """Put the pixels of a cine into a header, and what a reader needs for them."""
    frames = shown.stored
    header.NumberOfFrames = str(len(frames))
    header.Rows, header.Columns = frames.shape[1:3]
    header.SamplesPerPixel = 3 if frames.ndim == 4 else 1
    header.PhotometricInterpretation = coded.photometric
    if frames.ndim == 4:
        header.PlanarConfiguration = 0
    header.BitsAllocated = 8 * frames.itemsize
    header.BitsStored, header.HighBit = shown.bits, shown.bits - 1
    header.PixelRepresentation = 0
    if shown.palette is not None:
        for channel, name in enumerate(("Red", "Green", "Blue")):
            table = (shown.palette[:, channel].astype("<u2") * 257).tobytes()
            setattr(header, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
            setattr(header, f"{name}PaletteColorLookupTableData", table)
    header.PixelData = coded.content
    header["PixelData"].VR = "OB" if coded.encapsulated or frames.itemsize == 1 else "OW"
    header["PixelData"].is_undefined_length = coded.encapsulated


def tell_view(header: Dataset, view: View, *, enhanced: bool) -> None:
    """Put the angles of the camera into an X-ray header."""
    target = header
    if enhanced:
        target = Dataset()
        for item in header.PerFrameFunctionalGroupsSequence:
            item.PositionerPositionSequence = Sequence([target])
    target.PositionerPrimaryAngle = str(view.oblique)
    target.PositionerSecondaryAngle = str(view.tilt)


def tell_display(header: Dataset, shown: Shown) -> None:
    """Put into a header which values to show, where the shutters are, and the regions."""
    if shown.window is not None:
        header.WindowCenter, header.WindowWidth = (f"{value:g}" for value in shown.window)
    if shown.shutter is not None and shown.round_shutter:
        top, left, bottom, right = shown.shutter
        header.ShutterShape = "CIRCULAR"
        header.CenterOfCircularShutter = [(top + bottom + 1) // 2, (left + right + 1) // 2]
        header.RadiusOfCircularShutter = (bottom - top) // 2
    elif shown.shutter is not None:
        top, left, bottom, right = shown.shutter
        header.ShutterShape = "RECTANGULAR"
        header.ShutterUpperHorizontalEdge, header.ShutterLowerHorizontalEdge = top + 1, bottom
        header.ShutterLeftVerticalEdge, header.ShutterRightVerticalEdge = left + 1, right
    items = []
    for region in shown.regions:
        item = Dataset()
        item.RegionSpatialFormat, item.RegionDataType = region.space, region.content
        item.RegionFlags = 0
        item.RegionLocationMinY0, item.RegionLocationMinX0 = region.box[:2]
        item.RegionLocationMaxY1, item.RegionLocationMaxX1 = (end - 1 for end in region.box[2:])
        item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3
        item.PhysicalDeltaX = item.PhysicalDeltaY = 0.05
        items.append(item)
    if items:
        header.SequenceOfUltrasoundRegions = Sequence(items)


def add_overlay(header: Dataset, visit: Visit, shape: tuple[int, ...]) -> None:
    """Add a plane of graphics with the patient's name in it, and a curve with the name as data."""
    rows, columns = shape
    plane = np.zeros((rows, columns), dtype=bool)
    name = text_pixels(visit.patient.name.screen, 8)[: rows - 2, : columns - 2]
    plane[1 : 1 + name.shape[0], 1 : 1 + name.shape[1]] = name
    bits = np.packbits(plane.reshape(-1), bitorder="little").tobytes()
    header.add_new(0x60000010, "US", rows)
    header.add_new(0x60000011, "US", columns)
    header.add_new(0x60000022, "LO", visit.patient.name.dicom)
    header.add_new(0x60000040, "CS", "G")
    header.add_new(0x60000050, "SS", [1, 1])
    header.add_new(0x60000100, "US", 1)
    header.add_new(0x60000102, "US", 0)
    header.add_new(0x60003000, "OW", bits + b"\0" * (len(bits) % 2))
    header.add_new(0x50000022, "LO", visit.patient.name.dicom)
    header.add_new(0x50003000, "OW", visit.patient.name.screen.ljust(60).encode())


def write(header: Dataset, path: Path, *, syntax: str, bare: bool = False) -> None:
    """Write an object as a file; `bare` without preamble and file meta, in implicit order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if bare:
        dcmwrite(path, header, implicit_vr=True, little_endian=True, enforce_file_format=False)
        return
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = header.SOPClassUID
    meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    meta.TransferSyntaxUID = UID(CODINGS[syntax].uid)
    meta.ImplementationClassUID = UID(WRITER)
    meta.ImplementationVersionName = "ZQPACS 3"
    header.file_meta = meta
    header.preamble = b"\0" * 128
    dcmwrite(path, header, enforce_file_format=True)
