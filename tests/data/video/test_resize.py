"""Frames to one size."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from cinelex.data.video.resize import Shape, reshape_frame


def noise(rows: int, columns: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (rows, columns, 3), dtype=np.uint8)


def test_a_frame_of_the_right_size_is_left_alone() -> None:
    frame = noise(32, 32)
    np.testing.assert_array_equal(reshape_frame(frame, shape=Shape(size=32)), frame)


@pytest.mark.parametrize(("rows", "columns", "size"), [(96, 96, 32), (50, 50, 33), (20, 20, 48)])
def test_scaling_agrees_with_torchs_antialiased_bilinear(
    rows: int, columns: int, size: int
) -> None:
    frame = noise(rows, columns)
    pixels = torch.from_numpy(frame).permute(2, 0, 1)[None].double()
    expected = F.interpolate(pixels, size=size, mode="bilinear", antialias=True)[0]
    found = torch.from_numpy(reshape_frame(frame, shape=Shape(size=size))).permute(2, 0, 1)
    assert (found.double() - expected).abs().max() <= 1.01


def test_cropping_keeps_the_middle_of_the_long_side() -> None:
    frame = np.zeros((8, 16, 3), np.uint8)
    frame[:, 4:12] = 200
    found = reshape_frame(frame, shape=Shape(size=8, fit="crop"))
    assert found.shape == (8, 8, 3)
    assert (found == 200).all()
    upright = reshape_frame(frame.swapaxes(0, 1), shape=Shape(size=8, fit="crop"))
    assert (upright == 200).all()


def test_padding_keeps_everything_between_black_bars() -> None:
    frame = np.full((8, 16, 3), 200, np.uint8)
    found = reshape_frame(frame, shape=Shape(size=16, fit="pad"))
    assert (found[4:12] == 200).all()
    assert (found[:4] == 0).all()
    assert (found[12:] == 0).all()


def test_odd_sizes_are_filled_and_cut_whole() -> None:
    for rows, columns in ((7, 13), (13, 7), (1, 200), (199, 3)):
        for size in (8, 9):
            crop = Shape(size=size, fit="crop", channels=1)
            pad = Shape(size=size, fit="pad", channels=1)
            assert reshape_frame(noise(rows, columns), shape=crop).shape == (size, size, 1)
            assert reshape_frame(noise(rows, columns), shape=pad).shape == (size, size, 1)


def test_one_channel_is_luma() -> None:
    frame = np.zeros((2, 2, 3), np.uint8)
    frame[0, 0] = (255, 0, 0)
    frame[0, 1] = (0, 255, 0)
    frame[1, 0] = (0, 0, 255)
    frame[1, 1] = (9, 9, 9)
    found = reshape_frame(frame, shape=Shape(size=2, channels=1))
    assert found[..., 0].tolist() == [[76, 150], [29, 9]]
