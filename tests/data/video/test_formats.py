"""Files by what they hold: read, or refused for what they are; damaged only where it is proven."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cinelex.data.video.backends import BACKENDS
from cinelex.data.video.decode import (
    BackendName,
    Limits,
    SetupError,
    VideoCorrupt,
    VideoError,
    VideoInfo,
    VideoTooLarge,
    VideoUnsupported,
)
from cinelex.data.video.decode_decord import DecordHere
from cinelex.data.video.decode_pyav import PyAVDecoder, itself

Write = Callable[..., Path]
Steps = Callable[..., np.ndarray]
BROKEN = {"cut_mid_gop.mp4": VideoCorrupt, "page.mp4": VideoUnsupported}


def pictures(steps: Steps, count: int = 5) -> list[Image.Image]:
    return [Image.fromarray(frame) for frame in steps(count)]


@pytest.mark.parametrize("kind", ["gif", "webp", "png"])
def test_animated_pictures_are_cines_with_their_times(
    tmp_path: Path, steps: Steps, kind: str
) -> None:
    path = tmp_path / f"moves.{kind}"
    first, *rest = pictures(steps)
    durations = [40, 80, 40, 120, 40]
    lossless: dict[str, Any] = {"lossless": True} if kind == "webp" else {}
    first.save(path, save_all=True, append_images=rest, duration=durations, **lossless)
    path = path.rename(tmp_path / "moves.mp4")  # content counts, not the name
    info = PyAVDecoder().probe(path)
    assert info.frames == 5
    assert info.times_ms == (0, 40, 120, 160, 280)
    levels = PyAVDecoder().read(path, [0, 4]).mean((1, 2, 3))
    np.testing.assert_allclose(levels, [20, 60], atol=1)


def test_an_animated_avif_has_all_its_frames(tmp_path: Path, steps: Steps) -> None:
    path = tmp_path / "moves.avif"
    first, *rest = pictures(steps)
    first.save(path, save_all=True, append_images=rest, duration=40)
    info, frames = PyAVDecoder().read_chosen(path, range, itself)
    assert info.times_ms == (0, 40, 80, 120, 160)
    np.testing.assert_allclose(frames.mean((1, 2, 3)), [20, 30, 40, 50, 60], atol=3)


def test_a_stack_of_tiff_is_a_cine_without_its_smaller_copies(tmp_path: Path) -> None:
    path = tmp_path / "stack.tif"
    pages = [Image.fromarray(np.full((4, 6), 256 * level, np.uint16)) for level in (20, 30, 40)]
    small = Image.fromarray(np.zeros((2, 3), np.uint16))
    small.encoderinfo = {"tiffinfo": {254: 1}}
    pages[0].save(path, save_all=True, append_images=[*pages[1:], small])
    info, frames = PyAVDecoder().read_chosen(path, range, itself)
    assert info == VideoInfo(frames=3, height=4, width=6)
    assert frames[:, 0, 0, 0].tolist() == [20, 30, 40]
    pages[0].save(path, save_all=True, append_images=pages[1:], tiffinfo={274: 6})
    with pytest.raises(VideoUnsupported, match="upright"):
        PyAVDecoder().probe(path)


def test_the_previews_behind_a_jpeg_are_no_frames(tmp_path: Path, steps: Steps) -> None:
    first, second, *_ = pictures(steps)
    path = tmp_path / "p.jpg"
    first.save(path, format="MPO", save_all=True, append_images=[second.resize((8, 8))])
    info, (frame,) = PyAVDecoder().read_chosen(path, range, itself)
    assert info.frames == 1
    np.testing.assert_allclose(frame.mean(), 20, atol=1)


def test_a_sound_picture_of_a_format_that_is_not_read_is_not_called_damaged(
    tmp_path: Path, steps: Steps
) -> None:
    for kind in ("ico", "pcx", "sgi", "tga", "dds", "pbm", "eps"):
        picture = pictures(steps)[0]
        (picture.convert("1") if kind == "pbm" else picture).save(tmp_path / f"p.{kind}")
        with pytest.raises(VideoUnsupported):
            PyAVDecoder().probe(tmp_path / f"p.{kind}")


def test_jpeg_2000_is_a_picture(tmp_path: Path, steps: Steps) -> None:
    for name in ("p.jp2", "p.j2k"):
        pictures(steps)[2].save(tmp_path / name)
        (frame,) = PyAVDecoder().read(tmp_path / name, [0])
        np.testing.assert_allclose(frame.mean(), 40, atol=1)


@pytest.mark.parametrize(
    ("codec", "pix_fmt"),
    [("mjpeg", "yuvj420p"), ("rawvideo", "bgr24"), ("rawvideo", "gray")],
)
def test_avi_as_ultrasound_machines_write_it(
    tmp_path: Path, write_video: Write, steps: Steps, codec: str, pix_fmt: str
) -> None:
    path = write_video(tmp_path / "v.avi", steps(6), codec=codec, pix_fmt=pix_fmt, options={})
    levels = PyAVDecoder().read(path, [0, 5]).mean((1, 2, 3))
    np.testing.assert_allclose(levels, [20, 70], atol=2)


@pytest.mark.parametrize("stamps", [[0, 1, 4, 5, 9, 13], [0, 2, 3, 4, 5, 6]])
def test_an_avi_with_places_left_empty_is_whole(
    tmp_path: Path, write_video: Write, steps: Steps, stamps: list[int]
) -> None:
    options = {"codec": "mjpeg", "pix_fmt": "yuvj420p", "options": {}}
    path = write_video(tmp_path / "v.avi", steps(6), stamps=stamps, **options)
    info, frames = PyAVDecoder().read_chosen(path, range, lambda frame: frame)
    assert info.frames == 6
    assert info.times_ms == tuple(40.0 * stamp for stamp in stamps)
    np.testing.assert_allclose(frames.mean((1, 2, 3)), 20 + 10 * np.arange(6), atol=2)


@pytest.mark.parametrize("share", [0.4, 0.9])
def test_an_avi_that_was_cut_short_is_damaged(
    tmp_path: Path, write_video: Write, steps: Steps, share: float
) -> None:
    options = {"codec": "rawvideo", "pix_fmt": "bgr24", "options": {}}
    path = write_video(tmp_path / "v.avi", steps(30), **options)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(VideoCorrupt):
        PyAVDecoder().probe(path)


def zip_of(content: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("word/document.xml", content)
    return data.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (bytes(128) + b"DICM\x02\0\0\0UL\x04\0", "DICOM file; scripts/prepare.sh"),
        (b"\x08\0\x05\0CS\x0a\0ISO_IR 100" + bytes(400), "DICOM file; scripts/prepare.sh"),
        (b"%PDF-1.4\n", "a PDF"),
        (zip_of(b"<w/>"), "ZIP"),
        (b"\n<!DOCTYPE html><html><body>Sign in</body>", "a web page"),
        (b"id,report\n1,Normal.\n" * 300, "but text"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
        (b"#EXTM3U\n#EXTINF:1,\nother.mp4\n", "a list of other files"),
        (b"\x0b\x77" + bytes(400), "a recording of sound"),
        (bytes(257) + b"ustar\0" + bytes(300), "a tar archive"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    ],
)
def test_sound_files_of_other_kinds_are_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "v.mp4"
    path.write_bytes(content)
    with pytest.raises(VideoUnsupported, match=said):
        PyAVDecoder().probe(path)


def test_bare_frames_have_no_times(tmp_path: Path, write_video: Write, steps: Steps) -> None:
    path = write_video(tmp_path / "v.h264", steps(4))
    assert PyAVDecoder().probe(path).times_ms is None
    path = write_video(tmp_path / "v.mkv", steps(4), stamps=[0, 1, 5, 6])
    assert PyAVDecoder().probe(path).times_ms == (0, 40, 200, 240)


@pytest.mark.parametrize(
    ("limits", "key"),
    [
        (Limits(max_frames=3), "data.limits.max_frames"),
        (Limits(max_pixels=100), "data.limits.max_pixels"),
    ],
)
def test_a_limit_names_its_key(
    tmp_path: Path, write_video: Write, steps: Steps, limits: Limits, key: str
) -> None:
    path = write_video(tmp_path / "v.mp4", steps(4))
    with pytest.raises(VideoTooLarge, match=f"raise {key}"):
        PyAVDecoder(limits).probe(path)


def test_decord_refuses_what_it_would_show_wrong(
    tmp_path: Path, write_video: Write, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "v.mp4", steps(4, rows=64, columns=64))
    frames = DecordHere().read(path, [0, 3])
    np.testing.assert_allclose(frames.mean((1, 2, 3)), [20, 50], atol=2)

    def black(_: Any, path: Path, info: Any, wanted: Any) -> dict[int, np.ndarray]:
        return {index: np.full((64, 64, 3), 90, np.uint8) for index in wanted}

    monkeypatch.setattr(DecordHere, "_sweep", black)
    with pytest.raises(VideoUnsupported, match="other pixels"):
        DecordHere().probe(path)


@pytest.mark.slow
@pytest.mark.parametrize("name", BACKENDS)
def test_each_odd_file_is_read_right_or_refused_for_what_it_is(
    real_data: Path, name: BackendName
) -> None:
    refused = {}
    for path in sorted((real_data / "bug_cases" / "videos").iterdir()):
        try:
            info, frames = BACKENDS[name](Limits(), "cpu").read_chosen(path, lambda _: (0,), itself)
        except SetupError as missing:
            pytest.skip(str(missing))
        except VideoError as error:
            refused[path.name] = type(error)
        else:
            assert info.frames == expected_frames(path.name), path.name
            if path.name not in ("alpha.png", "clear.gif") and "12bit" not in path.name:
                np.testing.assert_allclose(frames[0].mean(), 86, atol=2, err_msg=path.name)
    unread = {"cine.dcm": VideoUnsupported, "cine_jpeg.dcm": VideoUnsupported, **BROKEN}
    if name == "pyav":
        assert refused == unread
    assert refused == {other: unread.get(other, VideoUnsupported) for other in refused}


def expected_frames(name: str) -> int:
    if name in ("dropped.avi", "edit_list.mp4"):
        return {"dropped.avi": 16, "edit_list.mp4": 14}[name]
    kind = name.rsplit(".", 1)[1]
    if name == "one.mp4" or kind in ("jpg", "jp2", "tif"):
        return 1
    if kind == "png" or name == "still.webp":
        return 12 if name == "anim.png" else 1
    return 12 if name in ("anim.webp", "pal8_dib.avi") or "gif" in name else 24
