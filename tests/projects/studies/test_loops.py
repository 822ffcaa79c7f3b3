"""Moving pictures of studies: all videos, all frames, small enough for a page."""

import io

import numpy as np
import pytest
from PIL import Image

from cinelex.projects.studies.loops import LOOP_MS, MAX_BYTES, moving_picture


def _open(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def test_all_frames_of_all_videos_move_side_by_side() -> None:
    levels = np.zeros((2, 8, 32, 32, 1), np.uint8)
    levels[0] += np.arange(8, dtype=np.uint8).reshape(8, 1, 1, 1) * 30
    picture = _open(moving_picture(levels))
    assert (picture.format, picture.size, picture.n_frames) == ("WEBP", (64, 32), 8)  # type: ignore[attr-defined]
    for frame in range(8):
        picture.seek(frame)
        shown = np.asarray(picture.convert("L"), float)
        assert shown[:, 4:28].mean() == pytest.approx(frame * 30, abs=4)
        assert shown[:, 36:60].mean() == pytest.approx(0, abs=4)
    assert picture.info["duration"] == LOOP_MS // 8


@pytest.mark.slow
def test_noise_of_many_large_videos_is_made_to_fit() -> None:
    rng = np.random.default_rng(0)
    clips = rng.integers(0, 256, (8, 8, 112, 112, 3), np.uint8)
    assert len(moving_picture(clips)) <= MAX_BYTES
