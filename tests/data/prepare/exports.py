"""Small exports: DICOM files that pydicom writes, and what to prepare them with."""

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, XRayAngiographicImageStorage, generate_uid

from cinelex.data.prepare.road import Request, prepare
from cinelex.data.prepare.settings import PrepareSettings
from cinelex.data.video.frame_store import FrameStore

FRAMES, SIDE = 6, 48
SURE = PrepareSettings(min_confidence=0.0)
"""Every mask is taken."""
UNSURE = replace(SURE, min_confidence=1.01)
"""Every mask waits for a person."""


def write_cine(
    path: Path, *, patient: str = "P1", study: str = "1", scene: int = 0, **elements: Any
) -> Path:
    """Write an angiogram; equal scenes have equal pixels."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = XRayAngiographicImageStorage
    dataset.SOPClassUID = XRayAngiographicImageStorage
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=[patient, study, str(scene), path.name])
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.StudyInstanceUID = generate_uid(entropy_srcs=["study", study])
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=["series", study])
    dataset.Modality, dataset.PatientID = "XA", f"Zq{patient}id"
    dataset.PatientName = f"Zqdrovik{patient}^Xvanline"
    dataset.AccessionNumber, dataset.StudyDate = f"QA{study}777", "20180312"
    dataset.Manufacturer, dataset.InstitutionName = "Acme", "Zquorn Heart Centre"
    dataset.FrameTime, dataset.FrameIncrementPointer = 40.0, 0x00181063
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = FRAMES, SIDE, SIDE
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = moving(scene).tobytes()
    for name, value in elements.items():
        setattr(dataset, name, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def moving(scene: int) -> np.ndarray:
    """Return frames of a smooth field that moves."""
    draw = np.random.default_rng(scene)
    row, column = np.mgrid[:SIDE, :SIDE] / SIDE
    waves = draw.uniform(3, 9, (3, 2))
    frames = [
        sum(np.sin(a * row + b * column + 0.4 * moment) for a, b in waves)
        for moment in range(FRAMES)
    ]
    return (128 + 36 * np.stack(frames)).astype(np.uint8)


def small_export(folder: Path, patients: int = 3) -> Path:
    """Write two studies a patient of two cines each, a duplicate, and rubbish."""
    for number in range(patients):
        for study in (2 * number, 2 * number + 1):
            for cine in range(2):
                write_cine(
                    folder / f"{study}" / f"{cine}.dcm",
                    patient=f"P{number}",
                    study=str(study),
                    scene=10 * study + cine,
                )
    (folder / "twin").write_bytes((folder / "0" / "0.dcm").read_bytes())
    (folder / "notes.txt").write_text("nothing")
    return folder


def run(dicom: Path, out: Path, settings: PrepareSettings = SURE, **further: Any) -> None:
    """Prepare an export."""
    prepare(Request(dicom=dicom, out=out, settings=settings, options={}, **further))


def tables(out: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return ledger and manifest."""
    ledger, manifest = (
        pq.read_table(out / f"{name}.parquet").to_pandas() for name in ("ledger", "manifest")
    )
    return ledger, manifest


def decisions(out: Path) -> dict[str, int]:
    """Return how many files were kept, dropped and left waiting."""
    return dict(Counter(tables(out)[0]["decision"].tolist()))


def write_decisions(out: Path, word: str, cines: Sequence[str]) -> None:
    """Write what a person decided."""
    lines = ["cine,decision", *(f"{cine},{word}" for cine in cines)]
    (out / "decisions.csv").write_text("\n".join(lines) + "\n")


def begun_like(prepared: Path, out: Path) -> Path:
    """Return a data set that has nothing but the same key, so that keys can be compared."""
    (out / "private").mkdir(parents=True)
    shutil.copy(prepared / "private" / "key", out / "private" / "key")
    shutil.copy(prepared / "pseudonyms.json", out / "pseudonyms.json")
    return out


def assert_equal(one: Path, two: Path) -> None:
    """Compare ledgers, manifests and stored frames."""
    for ours, theirs in zip(tables(one), tables(two), strict=True):
        pd.testing.assert_frame_equal(ours, theirs)
    stores = FrameStore(one / "store"), FrameStore(two / "store")
    for key in tables(one)[1]["video_path"].str.removeprefix("store:"):
        assert stores[0].digest(key) == stores[1].digest(key)
