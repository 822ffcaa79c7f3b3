"""Clips are moved and lit as their keys say, and as arithmetic says."""

import pytest
import torch

from cinelex.core.pixels import PIXEL_STD
from cinelex.data.video import transforms
from cinelex.data.video.transforms import (
    Augmentation,
    augment,
    to_float,
)

SIDE = 8


def clips(count: int = 3) -> torch.Tensor:
    random = torch.Generator().manual_seed(0)
    return torch.randn(count, 2, 4, SIDE, SIDE, generator=random)


def keys(count: int = 3) -> torch.Tensor:
    return torch.arange(count) * 7919 + 3


def draw(monkeypatch: pytest.MonkeyPatch, *draws: float) -> None:
    """Let every key draw these numbers, given in -1 ... 1."""
    row = (torch.tensor(draws) + 1) / 2
    monkeypatch.setattr(
        transforms, "uniform", lambda keys, *, count, stream: row[:count].expand(len(keys), count)
    )


def test_bytes_become_numbers_by_constants_alone() -> None:
    stored = torch.zeros(1, 2, 3, 4, 1, dtype=torch.uint8)
    stored[0, 1, 2, 3, 0] = 255
    pixels = to_float(stored)
    assert pixels.shape == (1, 1, 2, 3, 4)
    assert pixels[0, 0, 0, 0, 0].item() == pytest.approx(-0.45 / 0.225)
    assert pixels[0, 0, 1, 2, 3].item() == pytest.approx((1 - 0.45) / 0.225)


def test_no_augmentation_changes_nothing() -> None:
    assert torch.equal(augment(clips(), keys(), Augmentation()), clips())


def test_no_movement_is_the_identity_of_the_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    draw(monkeypatch, 0, 0, 0, 0, 0)
    moved = augment(clips(), keys(), Augmentation(crop=0.5, rotation=90.0))
    torch.testing.assert_close(moved, clips(), atol=1e-5, rtol=1e-5)


def test_a_quarter_of_the_side_is_two_of_eight_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    draw(monkeypatch, 1, 0, 0, 0, 0)
    moved = augment(clips(), keys(), Augmentation(crop=0.25))
    columns = (torch.arange(SIDE) + 2).clamp(max=SIDE - 1)
    torch.testing.assert_close(moved, clips()[..., columns], atol=1e-5, rtol=1e-5)


def test_rows_move_the_other_way_and_the_border_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    draw(monkeypatch, 0, -1, 0, 0, 0)
    moved = augment(clips(), keys(), Augmentation(crop=0.25))
    rows = (torch.arange(SIDE) - 2).clamp(min=0)
    torch.testing.assert_close(moved, clips()[..., rows, :], atol=1e-5, rtol=1e-5)


def test_a_right_angle_turns_rows_into_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    draw(monkeypatch, 0, 0, 0, 1, 0)
    moved = augment(clips(), keys(), Augmentation(rotation=90.0))
    torch.testing.assert_close(moved, clips().rot90(1, (-2, -1)), atol=1e-5, rtol=1e-5)


def test_scale_reads_from_farther_out(monkeypatch: pytest.MonkeyPatch) -> None:
    draw(monkeypatch, 0, 0, 1, 0, 0)
    slope = torch.arange(SIDE, dtype=torch.float32) - (SIDE - 1) / 2
    moved = augment(slope.expand(1, 1, 1, SIDE, SIDE), keys(1), Augmentation(crop=0.125))
    expected = (1.125 * slope).clamp(slope[0], slope[-1])
    torch.testing.assert_close(moved[0, 0, 0, 0], expected)


def test_mirrored_is_mirrored_left_to_right(monkeypatch: pytest.MonkeyPatch) -> None:
    draw(monkeypatch, 0, 0, 0, 0, -0.1)
    moved = augment(clips(), keys(), Augmentation(flip=True))
    torch.testing.assert_close(moved, clips().flip(-1), atol=1e-5, rtol=1e-5)
    draw(monkeypatch, 0, 0, 0, 0, 0.1)
    kept = augment(clips(), keys(), Augmentation(flip=True))
    torch.testing.assert_close(kept, clips(), atol=1e-5, rtol=1e-5)


def test_light_is_contrast_then_brightness(monkeypatch: pytest.MonkeyPatch) -> None:
    draw(monkeypatch, 1, -1)
    lit = augment(clips(), keys(), Augmentation(brightness=0.2))
    torch.testing.assert_close(lit, 1.2 * clips() - 0.2 / PIXEL_STD)


ALL = Augmentation(crop=0.2, rotation=20.0, flip=True, brightness=0.2)


def test_a_clip_changes_alike_in_any_company() -> None:
    together = augment(clips(), keys(), ALL)
    torch.testing.assert_close(augment(clips()[1:2], keys()[1:2], ALL), together[1:2])
    torch.testing.assert_close(augment(clips().flip(0), keys().flip(0), ALL), together.flip(0))


def test_another_key_changes_a_clip_otherwise() -> None:
    same = clips()[:1].expand(3, -1, -1, -1, -1)
    first, second, third = augment(same, keys(), ALL)
    assert not torch.allclose(first, second)
    assert not torch.allclose(second, third)


def test_all_frames_of_a_clip_change_alike() -> None:
    still = clips()[:, :, :1].expand(-1, -1, 4, -1, -1)
    moved = augment(still, keys(), ALL)
    torch.testing.assert_close(moved, moved[:, :, :1].expand(-1, -1, 4, -1, -1))


def test_each_channel_gets_a_tint_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    draw(monkeypatch, 1, -0.5)
    tinted = augment(clips(), keys(), Augmentation(color=0.2))
    expected = clips() + torch.tensor([0.2, -0.1]).view(2, 1, 1, 1) / PIXEL_STD
    torch.testing.assert_close(tinted, expected)


def test_blur_equals_a_gaussian_of_the_drawn_width(monkeypatch: pytest.MonkeyPatch) -> None:
    draw(monkeypatch, 0)  # half of the most
    point = torch.zeros(1, 1, 1, 15, 15)
    point[..., 7, 7] = 1
    blurred = augment(point, keys(1), Augmentation(blur=2.0))[0, 0, 0]
    weights = torch.exp(-((torch.arange(15) - 7.0) ** 2) / 2)
    weights[[0, 14]] = 0  # beyond three deviations of the most
    expected = weights[:, None] * weights / weights.sum() ** 2
    torch.testing.assert_close(blurred, expected, atol=1e-5, rtol=1e-3)


def test_blur_leaves_an_even_picture_alone_up_to_its_border() -> None:
    even = torch.full((3, 2, 4, SIDE, SIDE), 0.7)
    torch.testing.assert_close(augment(even, keys(), Augmentation(blur=1.5)), even)


def test_noise_has_the_drawn_deviation_and_no_mean() -> None:
    still = torch.zeros(40, 1, 1, 32, 32)
    found = augment(still, keys(40), Augmentation(noise=0.1))
    deviations = found.flatten(1).std(1) * PIXEL_STD
    assert 0 <= deviations.min() < 0.02 < 0.08 < deviations.max() <= 0.105
    assert abs(found.mean().item()) < 0.01
    assert not torch.equal(found[:1], found[1:2])


def test_whole_pixels_are_moved_as_they_are_and_the_border_repeats(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draw(monkeypatch, 0.9, -0.9)  # of -2 ... 2 pixels: up by two, right by two
    moved = augment(clips(), keys(), Augmentation(shift=2))
    assert torch.equal(moved[..., :-2, 2:], clips()[..., 2:, :-2])
    assert torch.equal(moved[..., -1, 2:], clips()[..., -1, :-2])
    assert torch.equal(moved[..., :-2, 0], clips()[..., 2:, 0])


def test_each_shift_by_whole_pixels_is_drawn_as_often() -> None:
    ramp = torch.arange(9.0).expand(3000, 1, 1, 9, 9)
    found = augment(ramp, keys(3000), Augmentation(shift=1))[:, 0, 0, 4, 4] - 4
    counts = [(found == offset).float().mean().item() for offset in (-1, 0, 1)]
    assert counts == pytest.approx([1 / 3] * 3, abs=0.04)


def test_another_time_shifts_frames_and_repeats_the_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    draw(monkeypatch, 1, 0)  # a quarter of four frames later, at the speed it was
    moved = augment(clips(), keys(), Augmentation(time=0.25))
    assert torch.equal(moved, clips()[:, :, [1, 2, 3, 3]])


def test_another_speed_moves_frames_away_from_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    draw(monkeypatch, 0, -1)  # half as fast: times 0.75, 1.25, 1.75, 2.25
    moved = augment(clips(), keys(), Augmentation(time=0.5))
    assert torch.equal(moved, clips()[:, :, [1, 1, 2, 2]])
