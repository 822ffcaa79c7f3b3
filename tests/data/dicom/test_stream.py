"""Videos inside DICOM."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinelex.data.dicom.errors import DicomError
from cinelex.data.dicom.inventory import inspect
from tests.data.dicom.files import shown, write_video


def steps(frames: int = 5, *, rows: int = 64, columns: int = 96) -> np.ndarray:
    """Return even frames, each 30 levels brighter than the one before."""
    levels = 40 + 30 * np.arange(frames, dtype=np.uint8)
    shape = (frames, rows, columns, 3)
    return np.ascontiguousarray(np.broadcast_to(levels[:, None, None, None], shape))


@pytest.mark.parametrize(
    ("codec", "container"),
    [
        ("libx264", "mp4"),
        ("libx264", "h264"),
        ("libx264", "mpegts"),
        ("mpeg2video", "mpegts"),
        ("mpeg2video", "mpeg"),
        ("mpeg2video", "mpeg2video"),
        ("libx265", "hevc"),
    ],
)
def test_every_stream_comes_back_in_order(tmp_path: Path, codec: str, container: str) -> None:
    cine = shown(write_video(tmp_path / "a", steps(), codec=codec, container=container))
    assert cine.frames.shape == (5, 64, 96, 3)
    np.testing.assert_allclose(cine.frames.mean((1, 2, 3)), [40, 70, 100, 130, 160], atol=3)
    assert cine.frame_times_ms == (0, 40, 80, 120, 160)


@pytest.mark.parametrize("stated", [4, 6])
def test_a_stream_of_another_number_of_frames_is_refused(tmp_path: Path, stated: int) -> None:
    with pytest.raises(DicomError) as caught:
        shown(write_video(tmp_path / "a", steps(), NumberOfFrames=stated))
    assert caught.value.reason == "frames_differ"


def test_a_stream_of_another_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DicomError) as caught:
        shown(write_video(tmp_path / "a", steps(), Rows=60))
    assert caught.value.reason == "frame_shape"


def test_a_stream_that_is_none_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a", steps())
    content = path.read_bytes()
    at = content.index(b"ftyp") - 4
    path.write_bytes(content[:at] + bytes(len(content) - at - 8) + content[-8:])
    with pytest.raises(DicomError):
        shown(path)


def test_a_stream_of_16_bit_is_no_cine(tmp_path: Path) -> None:
    how: dict[str, Any] = {"BitsAllocated": 16, "BitsStored": 16}
    assert inspect(write_video(tmp_path / "a", steps(), **how)).reason == "pixel_format"
