"""A made-up hospital's files, held against their truth."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from cinelex.data.dicom.beam import overlap
from cinelex.data.dicom.inventory import DEFAULT_MODALITIES, ON_REQUEST, inspect
from cinelex.data.dicom.pixels import Cine, read_cine
from cinelex.data.dicom.record import FileRecord
from cinelex.data.dicom.sector import Sector, find_sector

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Read:
    """A cine's truth, and what came of its file."""

    truth: dict[str, Any]
    record: FileRecord
    cine: Cine
    sector: Sector
    mask: np.ndarray


@pytest.fixture(scope="module")
def records(hospital: Path) -> list[tuple[dict[str, Any], FileRecord]]:
    rows = pq.read_table(hospital / "truth" / "files.parquet").to_pylist()
    wanted = (*DEFAULT_MODALITIES, *ON_REQUEST)
    return [(row, inspect(hospital / "export" / row["path"], modalities=wanted)) for row in rows]


@pytest.fixture(scope="module")
def cines(hospital: Path, records: list[tuple[dict[str, Any], FileRecord]]) -> list[Read]:
    found = []
    for truth, record in records:
        if truth["kind"] == "cine":
            cine = read_cine(hospital / "export" / truth["path"], record)
            mask = np.asarray(Image.open(hospital / "truth" / truth["mask"])) == 255
            found.append(Read(truth, record, cine, find_sector(cine, record), mask))
    return found


def test_every_file_is_of_its_kind(records: list[tuple[dict[str, Any], FileRecord]]) -> None:
    for truth, record in records:
        right = {truth["kind"], *truth["also_ok"].split(";")}
        assert record.kind in right, (truth["reason"], record.reason)


def test_times_and_conflicts_are_exact(cines: list[Read]) -> None:
    for read in cines:
        assert read.record.time_source == read.truth["time_source"]
        assert read.record.time_conflict == read.truth["time_conflict"]
        if read.truth["frame_times_ms"] is not None:
            times = np.array(read.record.frame_times_ms)
            np.testing.assert_allclose(times, read.truth["frame_times_ms"], atol=1e-3)


def test_angles_are_those_of_the_camera(cines: list[Read]) -> None:
    for read in cines:
        found = (read.record.primary_angle_deg, read.record.secondary_angle_deg)
        assert found == (read.truth["primary_angle"], read.truth["secondary_angle"])


def test_gray_levels_and_colours_are_right_within_the_mask(cines: list[Read]) -> None:
    for read in cines:
        if read.cine.shown != "percentile":
            mean = read.cine.frames[:, read.mask].mean()
            tolerance = 0.3 if read.truth["lossless"] else 1.0
            assert mean == pytest.approx(read.truth["mean_inside"], abs=tolerance)


def test_beams_and_fields_are_found(cines: list[Read]) -> None:
    overlaps = [overlap(read.sector.mask, read.mask) for read in cines]
    assert np.median(overlaps) >= 0.97
    assert min(overlaps) >= 0.9


def test_no_pixel_of_a_text_is_kept(cines: list[Read]) -> None:
    for read in cines:
        for top, left, bottom, right in read.truth["text_boxes"]:
            assert not read.sector.mask[top:bottom, left:right].any()


def test_flow_is_flagged(cines: list[Read]) -> None:
    assert [read.sector.doppler for read in cines] == [read.truth["doppler"] for read in cines]


def test_no_canary_leaves_a_header(
    hospital: Path, records: list[tuple[dict[str, Any], FileRecord]]
) -> None:
    canaries = json.loads((hospital / "truth" / "canaries.json").read_text())
    outside = []
    for _, record in records:
        columns = record.to_json()
        del columns["identity"]
        outside.append(json.dumps(columns, ensure_ascii=False) + repr(record))
    together = "\n".join(outside)
    assert len(canaries) > 50
    assert [one for one in canaries if one["text"] in together] == []
