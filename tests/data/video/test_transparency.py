"""Transparent pictures are read as they are shown: over white."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cinelex.data.video.decode_pyav import PyAVDecoder
from cinelex.data.video.transparency import over_white


def test_a_half_transparent_black_is_gray_and_a_clear_one_white() -> None:
    picture = np.zeros((1, 3, 4), np.uint8)
    picture[0, :, 3] = (0, 51, 255)
    assert over_white(picture)[0, :, 0].tolist() == [255, 204, 0]


@pytest.mark.parametrize("kind", ["png", "webp", "palette"])
def test_a_clear_picture_is_white_whatever_its_format(tmp_path: Path, kind: str) -> None:
    pixels = np.zeros((32, 32, 4), np.uint8)
    pixels[:16, :, 3] = 255
    picture, options = Image.fromarray(pixels, "RGBA"), dict[str, Any]()
    path = tmp_path / f"mark.{'webp' if kind == 'webp' else 'png'}"
    if kind == "palette":
        picture = Image.fromarray((pixels[..., 3] == 0).astype(np.uint8), "P")
        picture.putpalette([0, 0, 0, 0, 0, 0])
        options = {"transparency": 1}
    if kind == "webp":
        options = {"lossless": True}
    picture.save(path, **options)
    (found,) = PyAVDecoder().read(path, [0])
    assert (found[:16] == 0).all()
    assert (found[16:] == 255).all()
