"""Real files of many kinds: both backends agree, or refuse with a typed error."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cinelex.data.video.backends import BACKENDS
from cinelex.data.video.decode import (
    BackendName,
    SetupError,
    VideoCorrupt,
    VideoInfo,
    VideoUnsupported,
)
from cinelex.data.video.decode_pyav import PyAVDecoder
from cinelex.data.video.decoders import ChildDecoder

pytestmark = pytest.mark.slow

FRAMES = {
    "decord/flipping_a_pancake.mkv": (310, 240, 426),
    "decord/unordered.mov": (4, 50, 50),
    "decord/video_0.mov": (3, 320, 568),
    "decord/video_90.mov": (3, 568, 320),
    "decord/video_180.mov": (3, 320, 568),
    "decord/video_270.mov": (3, 568, 320),
    "sample-videos/bird.mkv": (63, 480, 640),
    "sample-videos/book.mkv": (109, 480, 640),
    "sample-videos/bottle-detection.mp4": (1189, 360, 640),
    "sample-videos/car-detection.mp4": (377, 432, 768),
    "sample-videos/help.mkv": (58, 480, 640),
    "sample-videos/milk.mkv": (51, 480, 640),
    "sample-videos/walk.mkv": (89, 480, 640),
    "sample-videos/yes.mkv": (65, 480, 640),
    "torchcodec/av1_video.mkv": (125, 360, 640),
    "torchcodec/bt709_full_range.mp4": (30, 720, 1280),
    "torchcodec/h264_10bits.mp4": (30, 200, 200),
    "torchcodec/h265_10bits.mp4": (30, 200, 200),
    "torchcodec/h265_video.mp4": (10, 128, 128),
    "torchcodec/nasa_13013.mp4": (325, 180, 320),
}
REFUSED = {
    "decord": {"torchcodec/av1_video.mkv", "torchcodec/nasa_13013.mp4"},
    "torchcodec": {"torchcodec/nasa_13013.mp4"},
}
"""decord has no AV1; of two video streams both take the larger, not the first."""
TOLERANCE = {"torchcodec/h264_10bits.mp4": 2.0, "torchcodec/h265_10bits.mp4": 2.0}
"""Mean difference in gray levels: decord interpolates the chroma of 10 bits, PyAV is told to repeat
it, and this test card has sharp colours. Everything else is equal to the bit."""


@pytest.fixture(scope="module", params=["decord", "torchcodec"])
def child(request: pytest.FixtureRequest) -> Iterator[ChildDecoder]:
    with ChildDecoder(backend=request.param) as decoder:
        yield decoder


@pytest.mark.parametrize("name", FRAMES)
def test_all_backends_agree_or_refuse(real_data: Path, name: str, child: ChildDecoder) -> None:
    path = real_data / "video_zoo" / name
    pyav = PyAVDecoder()
    info = pyav.probe(path)
    assert replace(info, times_ms=None) == VideoInfo(*FRAMES[name])
    indices = sorted({0, info.frames // 3, info.frames // 2, info.frames - 1})
    try:
        other = child.read(path, indices).astype(float)
    except SetupError as missing:
        pytest.skip(str(missing))
    except VideoUnsupported:
        assert name in REFUSED[child.backend]
        return
    assert name not in REFUSED[child.backend]
    mine = pyav.read(path, indices).astype(float)
    assert mine.shape == other.shape == (len(indices), info.height, info.width, 3)
    assert np.abs(mine - other).mean() <= TOLERANCE.get(name, 0.0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_corrupted_file_is_refused(real_data: Path, backend: BackendName) -> None:
    path = real_data / "video_zoo" / "decord" / "corrupted.mp4"
    with pytest.raises(VideoCorrupt):
        ChildDecoder(backend=backend).read(path, [0])


def test_every_file_of_the_zoo_is_accounted_for(real_data: Path) -> None:
    folder = real_data / "video_zoo"
    there = {str(path.relative_to(folder)) for path in folder.glob("*/*") if path.is_file()}
    assert there == {*FRAMES, "decord/corrupted.mp4"}


def test_the_colour_matrix_and_the_range_are_the_streams_own(real_data: Path) -> None:
    """BT.709 full range by the formula, against BT.601 limited range, which would be 13 off."""
    import av

    path = real_data / "video_zoo" / "torchcodec" / "bt709_full_range.mp4"
    with av.open(str(path)) as container:
        frame = next(iter(container.decode(video=0)))
        luma, blue, red = (
            np.frombuffer(bytes(plane), np.uint8).reshape(plane.height, -1)[:, : plane.width]
            for plane in frame.planes
        )
    b, r = (plane.repeat(2, 0).repeat(2, 1).astype(float) - 128 for plane in (blue, red))
    y = luma.astype(float)
    rgb = np.stack([y + 1.5748 * r, y - 0.1873 * b - 0.4681 * r, y + 1.8556 * b], -1)
    mine = PyAVDecoder().read(path, [0])[0]
    assert np.abs(mine - np.clip(rgb, 0, 255)).mean() < 1
