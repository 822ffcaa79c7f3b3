"""DICOM files that the tests write, with values known by hand."""

from io import BytesIO
from pathlib import Path
from typing import Any

import av
import gdcm
import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.uid import (
    HEVCMP51,
    MPEG2MPML,
    MPEG4HP41,
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
)

from cinelex.data.dicom.inventory import inspect
from cinelex.data.dicom.pixels import Cine, read_cine

ULTRASOUND = "1.2.840.10008.5.1.4.1.1.3.1"
ANGIOGRAPHY = "1.2.840.10008.5.1.4.1.1.12.1"
VIDEOS = {"libx264": MPEG4HP41, "mpeg2video": MPEG2MPML, "libx265": HEVCMP51}
CANARIES = {
    "PatientName": "Canarella^Yellow",
    "PatientID": "CANARY-4711",
    "AccessionNumber": "ACC-CANARY",
    "InstitutionName": "St. Canary",
    "ReferringPhysicianName": "Finch^Atticus",
    "StudyInstanceUID": "1.2.3.4711",
    "StudyDate": "20150312",
    "PatientBirthDate": "19500401",
}


def gray_cine(frames: int = 3, rows: int = 4, columns: int = 6) -> np.ndarray:
    """Return frames of 8 bit that differ in every pixel."""
    count = frames * rows * columns
    return (np.arange(count) * 3 % 256).astype(np.uint8).reshape(frames, rows, columns)


def data_set(pixels: np.ndarray, **elements: Any) -> Dataset:
    """Return the data set of an ultrasound cine [frame, row, column(, 3)], uncompressed."""
    colour = pixels.ndim == 4
    dataset = Dataset()
    bits = 8 * pixels.dtype.itemsize
    plain: dict[str, Any] = {
        "SOPClassUID": ULTRASOUND,
        "SOPInstanceUID": "1.2.3.4",
        "Modality": "US",
        "NumberOfFrames": len(pixels),
        "Rows": pixels.shape[1],
        "Columns": pixels.shape[2],
        "SamplesPerPixel": 3 if colour else 1,
        "PhotometricInterpretation": "RGB" if colour else "MONOCHROME2",
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": 0,
        "FrameTime": "40",
        "FrameIncrementPointer": 0x00181063,
        **CANARIES,
    }
    if colour:
        plain["PlanarConfiguration"] = 0
    for keyword, one in {**plain, **elements}.items():
        if one is not None:
            setattr(dataset, keyword, one)
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OB" if bits == 8 else "OW"
    return dataset


def write(
    path: Path, dataset: Dataset, *, syntax: str = ExplicitVRLittleEndian, preamble: bool = True
) -> Path:
    """Write a data set as a file, with or without preamble and file meta."""
    if preamble:
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = UID(syntax)
        meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        whole = FileDataset("", dataset, b"\0" * 128, meta)
        order = {"implicit_vr": meta.TransferSyntaxUID.is_implicit_VR}
        dcmwrite(path, whole, little_endian=syntax != ExplicitVRBigEndian, **order)
    else:
        dataset.save_as(
            path,
            implicit_vr=syntax == ImplicitVRLittleEndian,
            little_endian=syntax != ExplicitVRBigEndian,
        )
    return path


def write_cine(path: Path, pixels: np.ndarray, **elements: Any) -> Path:
    """Write an uncompressed cine."""
    return write(path, data_set(pixels, **elements))


def write_jpeg(
    path: Path,
    pixels: np.ndarray,
    *,
    mode: str = "RGB",
    subsampling: str = "4:4:4",
    **elements: Any,
) -> Path:
    """Write a cine in JPEG baseline; ``mode`` is what Pillow is told that the samples are."""
    codes = []
    for frame in pixels:
        stream = BytesIO()
        Image.fromarray(frame, mode).save(stream, "JPEG", quality=95, subsampling=subsampling)
        codes.append(stream.getvalue())
    dataset = data_set(pixels, **elements)
    dataset.PixelData = encapsulate(codes)
    dataset["PixelData"].is_undefined_length = True
    return write(path, dataset, syntax=JPEGBaseline8Bit)


def write_video(
    path: Path,
    pixels: np.ndarray,
    *,
    codec: str = "libx264",
    container: str = "mp4",
    **elements: Any,
) -> Path:
    """Write a cine [frame, row, column, 3] as one video stream inside DICOM, in two fragments."""
    stream = BytesIO()
    with av.open(stream, "w", format=container) as output:
        track: Any = output.add_stream(codec, rate=25)
        track.height, track.width = pixels.shape[1:3]
        track.pix_fmt = "yuv420p"
        if codec == "libx264":
            track.options = {"crf": "10", "preset": "ultrafast"}
        if codec == "libx265":  # of a smaller picture than 64 rows it aborts
            track.options = {"x265-params": "log-level=none"}
        for frame in pixels:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            output.mux(track.encode(picture))
        output.mux(track.encode())
    dataset = data_set(pixels, **{"PhotometricInterpretation": "YBR_PARTIAL_420", **elements})
    content = stream.getvalue()
    half = len(content) // 4 * 2
    dataset.PixelData = encapsulate([content[:half], content[half:]], has_bot=False)
    dataset["PixelData"].is_undefined_length = True
    return write(path, dataset, syntax=VIDEOS[codec])


def recoded(path: Path, to: Path, syntax: str) -> Path:
    """Write a file once more in another transfer syntax."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(to))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    return to


def shown(path: Path) -> Cine:
    record = inspect(path)
    assert record.kind == "cine", record.reason
    return read_cine(path, record)


def colour_cine() -> np.ndarray:
    """Return 3 frames of 8×8 whose channels differ by place and time."""
    frame, row, column = np.meshgrid(np.arange(3), np.arange(8), np.arange(8), indexing="ij")
    channels = (20 * frame + 10 * row, 30 * column, 255 - 25 * row - 5 * frame)
    return np.stack(channels, axis=-1).astype(np.uint8)
