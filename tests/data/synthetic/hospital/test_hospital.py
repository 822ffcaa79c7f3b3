"""A made-up hospital: what is in its files is what its truth says."""

import hashlib
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.pixels.utils import pixel_array

from cinelex.data.synthetic.cines.plan import plan_studies
from cinelex.data.synthetic.cines.settings import StudySetSettings
from cinelex.data.synthetic.hospital.make import make_hospital
from cinelex.data.synthetic.hospital.settings import TINY, HospitalSettings

pytestmark = pytest.mark.slow
Row = dict[str, Any]


def cines(files: list[Row]) -> list[Row]:
    return [row for row in files if row["kind"] == "cine"]


def read(hospital: Path, row: Row) -> Dataset:
    """Read a file that may lack preamble and file meta."""
    found = dcmread(hospital / "export" / row["path"], force=True)
    if "TransferSyntaxUID" not in found.file_meta:
        found.file_meta = FileMetaDataset()
        found.file_meta.TransferSyntaxUID = row["transfer_syntax"]
    return found


def contents(folder: Path) -> dict[str, str]:
    """Return the hash of every file by its path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_every_file_has_a_row_and_every_row_a_file(hospital: Path, files: list[Row]) -> None:
    found = {
        path.relative_to(hospital / "export").as_posix()
        for path in (hospital / "export").rglob("*")
        if path.is_file()
    }
    assert [row["path"] for row in files] == sorted(found)


def test_every_cine_of_the_plan_is_there_once(files: list[Row]) -> None:
    expected = {(plan.id, n) for plan in plan_studies(TINY.studies) for n in range(len(plan.cines))}
    kept = [row for row in cines(files) if row["duplicate_of"] is None]
    assert Counter((row["study"], row["cine"]) for row in kept) == Counter(expected)


def test_what_is_stored_without_loss_comes_back_exactly(hospital: Path, files: list[Row]) -> None:
    checked = 0
    for row in cines(files):
        if row["lossless"]:
            frames = pixel_array(read(hospital, row))
            little = np.ascontiguousarray(frames.astype(frames.dtype.newbyteorder("<")))
            assert hashlib.sha256(little.tobytes()).hexdigest() == row["samples_sha256"], row
            checked += 1
    assert checked > 10


def test_gdcm_reads_what_it_coded(hospital: Path, files: list[Row]) -> None:
    checked = 0
    for row in cines(files):
        if row["reader"] == "gdcm":
            frames = pixel_array(read(hospital, row), decoding_plugin="gdcm")
            assert hashlib.sha256(frames.tobytes()).hexdigest() == row["samples_sha256"], row
            checked += 1
    assert checked > 0


def test_masks_have_the_size_and_the_box_that_rows_say(hospital: Path, files: list[Row]) -> None:
    for row in cines(files):
        mask = np.array(Image.open(hospital / "truth" / row["mask"])) == 255
        assert mask.shape == (row["rows"], row["columns"])
        high, wide = np.nonzero(mask)
        box = [high.min(), wide.min(), high.max() + 1, wide.max() + 1]
        assert row["box"] == box
        for top, left, bottom, right in row["text_boxes"]:
            assert not mask[top:bottom, left:right].any()


def test_text_is_burned_in_where_masks_and_rows_say(hospital: Path, files: list[Row]) -> None:
    seen = 0
    for row in cines(files):
        letters = np.array(Image.open(hospital / "truth" / row["mask"])) == 128
        boxes = np.zeros_like(letters)
        for top, left, bottom, right in row["text_boxes"]:
            boxes[top:bottom, left:right] = True
            assert letters[top:bottom, left:right].mean() > 0.1
        assert not (letters & ~boxes).any()
        if row["photometric"] == "MONOCHROME2" and row["lossless"] and row["modality"] == "XA":
            assert (pixel_array(read(hospital, row))[:, letters] == 4095).all()
            seen += len(row["text_boxes"])
    assert seen > 2


def test_headers_tell_the_time_that_rows_say(hospital: Path, files: list[Row]) -> None:
    for row in cines(files):
        found = read(hospital, row)
        times = row["frame_times_ms"]
        match row["time_source"]:
            case "FrameTime":
                expected = [n * float(found.FrameTime) for n in range(row["frames"])]
            case "FrameTimeVector":
                expected = list(np.cumsum([float(step) for step in found.FrameTimeVector]))
            case "CineRate":
                expected = [n * 1000 / found.CineRate for n in range(row["frames"])]
            case "RecommendedDisplayFrameRate":
                rate = found.RecommendedDisplayFrameRate
                expected = [n * 1000 / rate for n in range(row["frames"])]
            case "FunctionalGroups":
                items = found.PerFrameFunctionalGroupsSequence
                texts = [item.FrameContentSequence[0].FrameReferenceDateTime for item in items]
                clock = [np.datetime64(f"{t[:4]}-{t[4:6]}-{t[6:8]}T{t[8:10]}:{t[10:12]}:{t[12:]}")
                         for t in map(str, texts)]  # fmt: skip
                expected = [(time - clock[0]) / np.timedelta64(1, "ms") for time in clock]
            case _:
                assert times is None
                assert "FrameTime" not in found
                continue
        assert len(times) == row["frames"]
        np.testing.assert_allclose(times, expected, atol=2e-6)


def test_dates_part_the_splits_of_the_plan(studies: list[Row]) -> None:
    for row in studies:
        year = row["year"]
        assert row["split"] == ("train" if year < 2019 else "val" if year < 2020 else "test")


def test_ages_are_told_as_ninety_where_they_are_above(studies: list[Row]) -> None:
    assert all(20 < row["age"] <= 90 for row in studies)


def test_equal_settings_give_equal_files_on_one_process_and_on_two(
    hospital: Path, tmp_path: Path
) -> None:
    again = make_hospital(replace(TINY), tmp_path, processes=2)
    assert again.name == hospital.name
    assert contents(hospital) == contents(again)


def test_every_oddity_can_be_asked_for(tmp_path: Path) -> None:
    plan = StudySetSettings(
        train_studies=3, val_studies=0, test_studies=0, size=32, frames=4, repeat_patient_rate=0.0
    )
    settings = HospitalSettings(
        studies=plan, ultrasound_rate=0.0, enhanced_rate=1.0, copy_rate=1.0, cut_rate=1.0,
        rubbish_rate=1.0, document_rate=1.0, capture_rate=1.0, stack_rate=1.0,
        presentation_rate=1.0, index_rate=1.0, bare_rate=0.0, missing_report_rate=1.0,
        stray_report_rate=1.0,
    )  # fmt: skip
    made = make_hospital(settings, tmp_path, processes=1)
    rows = pq.read_table(made / "truth" / "files.parquet").to_pylist()
    reasons = Counter(row["reason"] for row in rows)
    for reason in ("report", "document", "not_over_time", "presentation", "index"):
        assert reasons[reason] == 3
    assert reasons["one_frame"] == 6
    assert reasons["cut_header"] + reasons["cut_pixels"] == 3
    assert reasons["empty"] + reasons["not_dicom"] == 3
    seen = cines(rows)
    assert {row["time_source"] for row in seen} == {"FunctionalGroups"}
    assert sum(row["duplicate_of"] is not None for row in seen) == len(seen) / 2
    reports = pq.read_table(made / "truth" / "reports.parquet").to_pylist()
    assert [row["study"] for row in reports] == [None] * 3


def test_a_share_above_one_is_refused() -> None:
    with pytest.raises(ValueError, match="copy_rate must lie in 0 to 1, found 2"):
        HospitalSettings(copy_rate=2.0)


def test_a_hospital_without_studies_is_refused() -> None:
    nobody = StudySetSettings(train_studies=0, val_studies=0, test_studies=0)
    with pytest.raises(ValueError, match="studies must not be empty"):
        HospitalSettings(studies=nobody)


def test_a_plan_with_broken_files_of_its_own_is_refused() -> None:
    with pytest.raises(ValueError, match="corrupted_rate"):
        HospitalSettings(studies=StudySetSettings(corrupted_rate=0.1))
