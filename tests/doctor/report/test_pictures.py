"""Pictures on the page of a run: small, and still for who asks for it."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from cinelex.doctor.report.examples import image_address, still_address
from cinelex.projects.studies.loops import moving_picture


def test_a_moving_picture_has_a_still_one_beside_it(tmp_path: Path) -> None:
    clips = np.zeros((1, 4, 32, 32, 1), np.uint8)
    clips[0, 2:] = 200
    (tmp_path / "a.webp").write_bytes(moving_picture(clips))
    moving, still = image_address(tmp_path, "a.webp"), still_address(tmp_path, "a.webp")
    assert moving.startswith("data:image/webp;base64,")
    assert still.startswith("data:image/webp;base64,")
    assert len(still) < len(moving)


def test_a_large_still_picture_is_made_smaller(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (700, 700, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "PNG")
    (tmp_path / "large.png").write_bytes(out.getvalue())
    assert len(image_address(tmp_path, "large.png")) < len(out.getvalue()) / 3
    assert still_address(tmp_path, "large.png") == ""
