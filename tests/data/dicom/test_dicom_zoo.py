"""Real files of many machines and libraries: what each is, and what its pixels are."""

import csv
from pathlib import Path

import numpy as np
import pytest

from cinelex.data.dicom.decode import stored_frames
from cinelex.data.dicom.header import read_header
from cinelex.data.dicom.inventory import inspect
from cinelex.data.dicom.layout import layout
from cinelex.data.dicom.pixels import pixel_bytes, read_cine

ZOO = Path(__file__).parents[4] / "shared" / "data" / "dicom_zoo"
KINDS = {"cine": "cine", "still": "still", "not_image": "not_image", "refuse": "refused"}
TOLERANCE = 0.05
BIG_ENDIAN = "pydicom-data/OBXXXX1A_expb_2frame.dcm"


def rows() -> dict[str, dict[str, str]]:
    if not ZOO.exists():
        return {}
    with (ZOO / "expected.csv").open(newline="") as stream:
        return {row["file"]: row for row in csv.DictReader(stream)}


ROWS = rows()
CINES = [name for name, row in ROWS.items() if row["expected"] == "cine"]
absent = pytest.mark.skipif(not ROWS, reason=f"the DICOM zoo is not at {ZOO}")


@absent
def test_every_file_of_the_zoo_stands_in_the_table() -> None:
    listed = {"expected.csv", "README.md", "LICENSES.txt"}
    files = {path.relative_to(ZOO).as_posix() for path in ZOO.rglob("*") if path.is_file()}
    assert files - listed == set(ROWS)
    assert len(CINES) == 13


@pytest.mark.parametrize("name", ROWS or ["absent"])
@absent
def test_every_file_is_what_it_is_expected_to_be(name: str) -> None:
    row = ROWS[name]
    right = {KINDS[row[key].split(" ")[0]] for key in ("expected", "also_ok") if row[key]}
    assert inspect(ZOO / name).kind in right


@pytest.mark.parametrize("name", CINES or ["absent"])
@absent
def test_frames_are_as_many_and_as_large_as_expected(name: str) -> None:
    row = ROWS[name]
    frames = read_cine(ZOO / name, inspect(ZOO / name)).frames
    assert frames.dtype == np.uint8
    assert frames.shape[:3] == tuple(int(row[key]) for key in ("frames", "rows", "columns"))


@pytest.mark.parametrize("name", CINES or ["absent"])
@absent
def test_colours_have_the_expected_means(name: str) -> None:
    row = ROWS[name]
    if not row["rgb_mean_first"]:
        pytest.skip("gray")
    frames = read_cine(ZOO / name, inspect(ZOO / name)).frames
    for frame, key in ((frames[0], "rgb_mean_first"), (frames[-1], "rgb_mean_last")):
        expected = [float(mean) for mean in row[key].split("/")]
        np.testing.assert_allclose(frame.mean((0, 1)), expected, atol=TOLERANCE)


@pytest.mark.parametrize("name", CINES or ["absent"])
@absent
def test_stored_samples_have_the_expected_means(name: str) -> None:
    """Of JPEG colour the table gives YCbCr, which nobody asks for: the test above has its RGB."""
    row = ROWS[name]
    if row["transfer_syntax"].endswith(".50") and row["samples"] == "3":
        pytest.skip("JPEG colour")
    record, header = inspect(ZOO / name), read_header(ZOO / name)
    data = pixel_bytes(ZOO / name, header)
    frames = np.concatenate([run for run, _ in stored_frames(data, layout(header, record))])
    for frame, key in ((frames[0], "mean_first"), (frames[-1], "mean_last")):
        assert frame.mean() == pytest.approx(float(row[key]), abs=TOLERANCE)


@pytest.mark.parametrize("name", CINES or ["absent"])
@absent
def test_times_are_those_of_the_header(name: str) -> None:
    row, record = ROWS[name], inspect(ZOO / name)
    assert (record.time_source or "") == row["rate_source"].split(" ")[0]
    assert not record.time_conflict
    if record.time_source == "FrameTime":
        assert record.frame_times_ms is not None
        steps = np.diff(record.frame_times_ms)
        np.testing.assert_allclose(steps, float(row["frame_time_ms"]), rtol=1e-6)
    if record.time_source == "FrameTimeVector":
        assert record.frame_times_ms is not None
        steps = np.diff(record.frame_times_ms)
        assert 33.3 <= steps.min() < steps.max() <= 50


@absent
def test_one_cine_in_two_codes_has_equal_pixels() -> None:
    run_length, jpeg_ls = (
        read_cine(ZOO / name, inspect(ZOO / name)).frames
        for name in ("dcm4che/US-PAL-8-10x-echo", "dcm4che/jpeg-ls-Palette.dcm")
    )
    np.testing.assert_array_equal(run_length, jpeg_ls)


@absent
def test_a_big_endian_palette_gives_the_picture_of_its_little_endian_copy() -> None:
    big, little = (
        read_cine(ZOO / name, inspect(ZOO / name)).frames
        for name in (BIG_ENDIAN, "pydicom-data/OBXXXX1A_rle_2frame.dcm")
    )
    np.testing.assert_array_equal(big, little)


@absent
def test_the_real_run_has_its_projection() -> None:
    assert inspect(ZOO / "fo-dicom" / "HasFragmentSequence.dcm").view == "RAO 32 CRA 2"
