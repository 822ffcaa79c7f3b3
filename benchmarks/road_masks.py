"""Masks that the road finds against the truth, and text that must be gone from the frames."""

import json
from base64 import b64encode
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from benchmarks.road_checks import Checks
from cinelex.core.cores import usable_cores
from cinelex.core.progress import progress
from cinelex.data.dicom.inventory import DEFAULT_MODALITIES, ON_REQUEST, inspect
from cinelex.data.dicom.pixels import Cine, read_cine
from cinelex.data.dicom.sector import CERTAIN, Sector, apply, find_sector
from cinelex.data.prepare.preview import preview
from cinelex.data.synthetic.hospital.cines import LETTER
from cinelex.data.video.frame_store import FrameStore

MEDIAN_IOU, WORST_IOU = 0.97, 0.90
MOST_LEVELS_OFF = 0.6
"""Of the mean inside the mask, where nothing was lost and the header says what to show."""


@dataclass(frozen=True)
class Look:
    """What is found of one cine."""

    iou: float
    text_pixels: int
    """Pixels of letters that were kept."""
    stored_alike: bool
    """True where the store has the frames that file and mask give."""
    levels_off: float | None
    """Of the mean inside the true mask; None where the truth does not say it exactly."""
    modality: str
    source: str
    confidence: float


def check_masks(
    checks: Checks, kept: pd.DataFrame, hospital: Path, dataset: Path, *, every: int
) -> None:
    """Check the masks of the cines that are kept, and what the store holds of them."""
    rows = [json.loads(row) for row in kept.iloc[::every].apply(lambda row: row.to_json(), axis=1)]
    with ProcessPoolExecutor(usable_cores()) as pool:
        todo = ((row, hospital, dataset) for row in rows)
        looks = list(progress(pool.map(_look, todo, chunksize=16), total=len(rows), what="masks"))
    certain = [look for look in looks if look.confidence >= CERTAIN]
    for modality in sorted({look.modality for look in certain}):
        ious = [look.iou for look in certain if look.modality == modality]
        _add_ious(checks, modality, ious)
    _add_ious(checks, "all", [look.iou for look in certain])
    approved = [look.iou for look in looks if look.confidence < CERTAIN]
    if approved:
        worst = f"median {np.median(approved):.3f}, worst {min(approved):.3f}"
        checks.say("IoU of masks that a person approved", f"{len(approved)}: {worst}")
    for source, count in pd.Series([look.source for look in looks]).value_counts().items():
        checks.say(f"masks from {source}", str(count))
    checks.add("burned-in text pixels kept", sum(look.text_pixels for look in looks), 0)
    checks.add("stored frames that differ", sum(not look.stored_alike for look in looks), 0)
    off = [look.levels_off for look in looks if look.levels_off is not None]
    checks.add("largest error of a mean level", max(off, default=0.0), MOST_LEVELS_OFF, rule="≤")


def check_previews(checks: Checks, waiting: pd.DataFrame, hospital: Path, dataset: Path) -> None:
    """Check that the review page shows what its masks leave, and no burned-in text."""
    page = (dataset / "review.html").read_text()
    shown = waiting[[f'"key": "{key}"' in page for key in waiting["ledger_cine"]]]
    text_pixels = others = 0
    for path, mask in zip(shown["path"], shown["mask"], strict=True):
        cine, sector = _found(hospital / "export" / path)
        truth = np.asarray(Image.open(hospital / "truth" / mask))
        text_pixels += int((sector.mask & (truth == LETTER)).sum())
        others += b64encode(preview(apply(cine.frames, sector))).decode() not in page
    checks.say("masks on the review page", str(len(shown)))
    checks.add("burned-in text pixels in their pictures", text_pixels, 0)
    checks.add("pictures of anything but masked frames", others, 0)


def _add_ious(checks: Checks, name: str, ious: list[float]) -> None:
    checks.add(f"IoU of masks, median, {name}", float(np.median(ious)), MEDIAN_IOU, rule="≥")
    checks.add(f"IoU of masks, worst, {name}", min(ious), WORST_IOU, rule="≥")


def _look(todo: tuple[dict[str, Any], Path, Path]) -> Look:
    """Find the mask of one file once more, and hold it and the stored frames against the truth."""
    row, hospital, dataset = todo
    path = hospital / "export" / row["path"]
    cine, sector = _found(path)
    truth = np.asarray(Image.open(hospital / "truth" / row["mask"]))
    true = truth == 255
    stored = FrameStore(dataset / "store").frames(row["ledger_cine"])
    exact = row["lossless"] and (row["windowed"] or row["modality"] == "US")
    mean = float(cine.frames[:, true].mean())
    return Look(
        iou=float((sector.mask & true).sum() / (sector.mask | true).sum()),
        text_pixels=int((sector.mask & (truth == LETTER)).sum()),
        stored_alike=bool(np.array_equal(stored, apply(cine.frames, sector))),
        levels_off=abs(mean - row["mean_inside"]) if exact else None,
        modality=row["modality"],
        source=sector.source,
        confidence=sector.confidence,
    )


def _found(path: Path) -> tuple[Cine, Sector]:
    """Return the cine in a file, and its mask found once more."""
    record = inspect(path, modalities=(*DEFAULT_MODALITIES, *ON_REQUEST))
    cine = read_cine(path, record)
    return cine, find_sector(cine, record)
