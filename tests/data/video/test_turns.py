"""Left and right of a picture are facts of a report: the eight ways up, each by its own means."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from cinelex.data.video.decode import VideoUnsupported
from cinelex.data.video.decode_pyav import PyAVDecoder
from cinelex.data.video.turns import ORIENTATIONS, Turn, turn_of_matrix

Write = Callable[..., Path]
ONE = 1 << 16


def corner(rows: int = 32, columns: int = 48) -> np.ndarray:
    """Return a picture whose quarters differ, so that no two ways up look alike."""
    pixels = np.zeros((rows, columns, 3), np.uint8)
    pixels[: rows // 2, : columns // 2] = 240
    pixels[: rows // 2, columns // 2 :] = 160
    pixels[rows // 2 :, : columns // 2] = 80
    return pixels


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("value", range(1, 9))
def test_every_orientation_is_shown_as_pillow_shows_it(
    tmp_path: Path, kind: str, value: int
) -> None:
    path = tmp_path / f"p.{kind}"
    picture = Image.fromarray(corner())
    exif = Image.Exif()
    exif[0x0112] = value
    lossless = {"lossless": True} if kind == "webp" else {"quality": 95} if kind == "jpg" else {}
    picture.save(path, exif=exif, **lossless)
    with Image.open(path) as again:
        shown = np.asarray(ImageOps.exif_transpose(again).convert("RGB"))
    (frame,) = PyAVDecoder().read(path, [0])
    assert frame.shape == shown.shape
    assert np.abs(frame.astype(int) - shown).mean() < 3


MATRICES = {
    1: (ONE, 0, 0, ONE),
    2: (-ONE, 0, 0, ONE),
    3: (-ONE, 0, 0, -ONE),
    4: (ONE, 0, 0, -ONE),
    5: (0, ONE, ONE, 0),
    6: (0, ONE, -ONE, 0),
    7: (0, -ONE, -ONE, 0),
    8: (0, -ONE, ONE, 0),
}


def matrix_of(a: int, b: int, c: int, d: int) -> bytes:
    return struct.pack("=9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)


@pytest.mark.parametrize("value", range(1, 9))
def test_a_display_matrix_moves_each_pixel_where_it_says(value: int) -> None:
    a, b, c, d = (entry // ONE for entry in MATRICES[value])
    turn = turn_of_matrix(matrix_of(*MATRICES[value]))
    assert turn == ORIENTATIONS[value]
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    shown = turn(pixels)
    places = {(y, x): (b * x + d * y, a * x + c * y) for y in range(2) for x in range(3)}
    first_row = min(row for row, _ in places.values())
    first_column = min(column for _, column in places.values())
    for (y, x), (row, column) in places.items():
        np.testing.assert_array_equal(shown[row - first_row, column - first_column], pixels[y, x])
    assert shown.shape[:2] == turn.shape(2, 3)


@pytest.mark.parametrize("value", range(1, 9))
def test_a_file_with_that_matrix_is_shown_that_way(
    tmp_path: Path, write_video: Write, value: int
) -> None:
    path = write_video(tmp_path / "v.mp4", corner()[None].repeat(3, axis=0), pix_fmt="yuv444p")
    content = path.read_bytes()
    identity = struct.pack(">9i", ONE, 0, 0, 0, ONE, 0, 0, 0, 1 << 30)
    a, b, c, d = MATRICES[value]
    wanted = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    track = content.index(identity, content.index(b"tkhd"))
    path.write_bytes(content[:track] + wanted + content[track + len(wanted) :])
    (frame,) = PyAVDecoder().read(path, [0])
    expected = ORIENTATIONS[value](corner())
    assert np.abs(frame.astype(int) - expected).mean() < 3


def test_other_angles_are_refused() -> None:
    with pytest.raises(VideoUnsupported, match="no multiple of 90"):
        turn_of_matrix(matrix_of(ONE // 2, ONE // 2, -ONE // 2, ONE // 2))
    assert Turn().shape(2, 3) == (2, 3)
