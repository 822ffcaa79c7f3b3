"""A DICOM file as a decoder reads a video: its cine, cut to the sector, at its true times."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from cinelex.data.dicom.errors import DicomError
from cinelex.data.dicom.inventory import DEFAULT_MODALITIES, ON_REQUEST, inspect
from cinelex.data.dicom.pixels import read_cine
from cinelex.data.dicom.sector import apply, find_sector
from cinelex.data.video.decode import Choose, Keep, VideoCorrupt, VideoInfo, VideoUnsupported


def read_dicom(
    path: Path, choose: Choose, keep: Keep
) -> tuple[VideoInfo, UInt8[np.ndarray, "frame row column channel"]]:
    """Return the frames that a data set made by ``prepare`` would hold of this file.

    Raises:
        VideoUnsupported: The file is a still picture, a report, or of a modality that is not read.
        VideoCorrupt: Its pixels are damaged.
    """
    record = inspect(path, modalities=(*DEFAULT_MODALITIES, *ON_REQUEST))
    if record.kind != "cine":
        raise VideoUnsupported(f"no cine that can be read: {record.reason or record.kind}")
    try:
        cine = read_cine(path, record)
        frames = apply(cine.frames, find_sector(cine, record))
    except DicomError as problem:
        raise VideoCorrupt(f"its pixels cannot be read: {problem.reason}") from None
    chosen = [keep(frames[index]) for index in choose(len(frames))]
    _, rows, columns, _ = frames.shape
    return VideoInfo(len(frames), rows, columns, cine.frame_times_ms), np.stack(chosen)
