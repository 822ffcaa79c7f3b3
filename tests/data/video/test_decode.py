"""Video files to frames, with PyAV in this process."""

import json
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from cinelex.data.video.decode import (
    Limits,
    VideoCorrupt,
    VideoError,
    VideoInfo,
    VideoMissing,
    VideoTimeout,
    VideoTooLarge,
    VideoUnsupported,
)
from cinelex.data.video.decode_decord import DecordHere
from cinelex.data.video.decode_pyav import PyAVDecoder

Write = Callable[..., Path]
Steps = Callable[..., np.ndarray]


@pytest.fixture
def decoder() -> PyAVDecoder:
    return PyAVDecoder()


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv", "v.avi"])
def test_frames_are_counted_and_read_by_index(
    tmp_path: Path, write_video: Write, steps: Steps, decoder: PyAVDecoder, name: str
) -> None:
    path = write_video(tmp_path / name, steps(7, rows=18, columns=34))
    info = decoder.probe(path)
    assert (info.frames, info.height, info.width) == (7, 18, 34)
    frames = decoder.read(path, [6, 0, 3, 3])
    assert frames.shape == (4, 18, 34, 3)
    np.testing.assert_allclose(frames.mean((1, 2, 3)), [80, 20, 50, 50], atol=1)


def test_odd_sizes_and_colours_come_out_right(
    tmp_path: Path, write_video: Write, decoder: PyAVDecoder
) -> None:
    pixels = np.zeros((2, 17, 23, 3), np.uint8)
    pixels[:, :9] = (200, 30, 60)
    pixels[:, 9:] = (20, 90, 250)
    path = write_video(tmp_path / "odd.mkv", pixels)
    np.testing.assert_allclose(decoder.read(path, [1])[0].astype(int), pixels[1], atol=3)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.bmp", "a.tif", "picture-%d"])
def test_a_still_picture_is_a_video_of_one_frame(
    tmp_path: Path, decoder: PyAVDecoder, name: str
) -> None:
    gray = np.repeat(np.arange(24, dtype=np.uint8)[:, None] * 10, 36, axis=1)
    path = tmp_path / name
    kind = {".jpg": "jpeg", ".tif": "tiff", "": "png"}.get(path.suffix, path.suffix[1:])
    Image.fromarray(gray).convert("RGB").save(path, kind)
    assert decoder.probe(path) == VideoInfo(frames=1, height=24, width=36)
    found = decoder.read(path, [0])[0].mean(2)
    np.testing.assert_allclose(found, gray, atol=6)  # JPEG and WebP are lossy


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.bmp", "a.tif", "%d.ppm", "plain"])
def test_a_large_picture_is_read_whatever_its_name(tmp_path: Path, name: str) -> None:
    # FFmpeg tells those of more than 2,048 bytes by their name, and takes that as a pattern
    row, column = np.mgrid[:200, :300]
    gray = 127 + 120 * np.sin(row * column / 900)  # JPEG and WebP halve the resolution of colour
    pixels = np.stack([gray] * 3, axis=-1)
    path = tmp_path / name
    kind = "PNG" if name == "plain" else None
    Image.fromarray(pixels.astype(np.uint8)).save(path, format=kind, quality=95)
    assert path.stat().st_size > 2048
    for decoder in (PyAVDecoder(), DecordHere()):
        assert decoder.probe(path) == VideoInfo(frames=1, height=200, width=300)
        np.testing.assert_allclose(decoder.read(path, [0])[0], pixels, atol=8)


@pytest.mark.parametrize(
    ("codec", "pix_fmt"),
    [("ffv1", "gray"), ("ffv1", "yuv420p10le"), ("ffv1", "bgra"), ("ffv1", "yuv422p")],
)
def test_gray_ten_bit_and_alpha_are_decoded(
    tmp_path: Path,
    write_video: Write,
    steps: Steps,
    decoder: PyAVDecoder,
    codec: str,
    pix_fmt: str,
) -> None:
    path = write_video(tmp_path / "v.mkv", steps(3), codec=codec, pix_fmt=pix_fmt, options={})
    np.testing.assert_allclose(decoder.read(path, range(3)).mean((1, 2, 3)), [20, 30, 40], atol=2)


def test_a_variable_rate_changes_nothing(
    tmp_path: Path, write_video: Write, steps: Steps, decoder: PyAVDecoder
) -> None:
    path = write_video(tmp_path / "v.mp4", steps(5), stamps=[0, 1, 9, 10, 60])
    assert decoder.probe(path).frames == 5
    np.testing.assert_allclose(decoder.read(path, [2, 4]).mean((1, 2, 3)), [40, 60], atol=1)


def test_an_index_past_the_end_is_an_error(
    tmp_path: Path, write_video: Write, steps: Steps, decoder: PyAVDecoder
) -> None:
    path = write_video(tmp_path / "v.mp4", steps(3))
    with pytest.raises(IndexError, match="frame 3 of a video of 3"):
        decoder.read(path, [0, 3])
    assert decoder.read(path, []).shape == (0, 16, 16, 3)


def test_a_missing_file_is_missing(tmp_path: Path, decoder: PyAVDecoder) -> None:
    with pytest.raises(VideoMissing):
        decoder.probe(tmp_path / "absent.mp4")


@pytest.mark.parametrize("content", [b"", bytes(range(256)) * 40])
def test_what_is_no_video_is_corrupt(tmp_path: Path, decoder: PyAVDecoder, content: bytes) -> None:
    path = tmp_path / "garbage.mp4"
    path.write_bytes(content)
    with pytest.raises(VideoCorrupt):
        decoder.probe(path)


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv", "v.avi"])
@pytest.mark.parametrize("share", [0.05, 0.4, 0.7])
def test_a_truncated_file_is_corrupt(
    tmp_path: Path, write_video: Write, decoder: PyAVDecoder, name: str, share: float
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)
    path = write_video(tmp_path / name, pixels, options={"g": "5"}, pix_fmt="yuv420p")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(VideoCorrupt):
        decoder.probe(path)


def test_damage_in_the_middle_is_corrupt(
    tmp_path: Path, write_video: Write, decoder: PyAVDecoder
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (10, 64, 64, 3), dtype=np.uint8)
    path = write_video(tmp_path / "v.mp4", pixels, options={}, pix_fmt="yuv420p")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4000] = bytes(4000)
    path.write_bytes(content)
    with pytest.raises(VideoCorrupt):
        decoder.probe(path)


def test_sound_alone_is_unsupported(tmp_path: Path, decoder: PyAVDecoder) -> None:
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        silence = np.zeros((1, 800), np.int16)
        frame = av.AudioFrame.from_ndarray(silence, format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(VideoUnsupported, match="no video stream"):
        decoder.probe(path)


def test_large_frames_are_refused_before_one_is_decoded(
    tmp_path: Path, write_video: Write, steps: Steps
) -> None:
    path = write_video(tmp_path / "v.mp4", steps(2, rows=32, columns=64))
    with pytest.raises(VideoTooLarge, match="64x32 pixels; the limit is 2047"):
        PyAVDecoder(Limits(max_pixels=2047)).probe(path)
    assert PyAVDecoder(Limits(max_pixels=2048)).probe(path).frames == 2


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv"])
def test_long_videos_are_refused(
    tmp_path: Path, write_video: Write, steps: Steps, name: str
) -> None:
    path = write_video(tmp_path / name, steps(6))
    with pytest.raises(VideoTooLarge, match="5"):
        PyAVDecoder(Limits(max_frames=5)).probe(path)
    assert PyAVDecoder(Limits(max_frames=6)).probe(path).frames == 6


def test_a_passed_deadline_is_a_timeout(tmp_path: Path, write_video: Write, steps: Steps) -> None:
    path = write_video(tmp_path / "v.mp4", steps(3))
    with pytest.raises(VideoTimeout):
        PyAVDecoder(Limits(deadline_s=1e-9)).probe(path)


@pytest.mark.parametrize(
    "content",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{other}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{other}'\n",
    ],
)
def test_a_playlist_opens_nothing(
    tmp_path: Path, write_video: Write, steps: Steps, decoder: PyAVDecoder, content: str
) -> None:
    other = write_video(tmp_path / "other.mp4", steps(3))
    for suffix in ("mp4", "m3u8", "ffconcat", "txt"):
        path = tmp_path / f"list.{suffix}"
        path.write_text(content.format(other=other))
        with pytest.raises(VideoError):
            decoder.probe(path)


def test_messages_name_no_path(tmp_path: Path, decoder: PyAVDecoder) -> None:
    path = tmp_path / "john-doe.mp4"
    path.write_bytes(b"no video")
    for file in (path, tmp_path / "john-doe-2.mp4"):
        with pytest.raises(VideoError) as caught:
            decoder.probe(file)
        assert "john" not in json.dumps(str(caught.value))


def test_one_pass_chooses_frames_by_their_number(
    tmp_path: Path, write_video: Write, steps: Steps, decoder: PyAVDecoder
) -> None:
    for name in ("v.mp4", "v.mkv"):
        path = write_video(tmp_path / name, steps(6))
        info, frames = decoder.read_chosen(path, lambda total: [0, total - 1], lambda frame: frame)
        assert info.frames == 6
        np.testing.assert_allclose(frames.mean((1, 2, 3)), [20, 70], atol=1)
