"""Beams and fields drawn by hand, and what is found of them."""

import math

import numpy as np
import pytest

from cinelex.data.dicom.beam import Beam, fit_beam, overlap
from cinelex.data.dicom.pixels import Cine
from cinelex.data.dicom.record import FileRecord
from cinelex.data.dicom.sector import CERTAIN, apply, find_sector

ROWS, COLUMNS = 120, 160
ULTRASOUND = FileRecord(kind="cine", modality="US")
ANGIOGRAPHY = FileRecord(kind="cine", modality="XA")
FAN = Beam((10, 20, 100, 140), row=8.0, column=80.0, left=-0.65, right=0.65, outer=88.0)
CONVEX = Beam(
    (10, 10, 110, 150), row=-20.0, column=80.0, left=-0.5, right=0.5, inner=40.0, outer=120.0
)
LINEAR = Beam((15, 40, 95, 120))


def speckle(mask: np.ndarray, *, frames: int = 12, seed: int = 1) -> np.ndarray:
    """Return RGB frames: noise within a mask, black outside."""
    draw = np.random.default_rng(seed)
    gray = draw.integers(20, 120, (frames, *mask.shape)) * mask
    return np.repeat(gray[..., None], 3, axis=-1).astype(np.uint8)


def with_screen(frames: np.ndarray) -> np.ndarray:
    """Burn in what a machine shows: letters, a bar, and a trace that runs through below."""
    shown = frames.copy()
    shown[:, 2:9, 4:60:3] = 255
    shown[:, 20:100, 154:158] = np.linspace(255, 10, 80).astype(np.uint8)[None, :, None, None]
    for number, frame in enumerate(shown):
        frame[112 + number % 4, : number * 12] = (40, 230, 60)
    return shown


def found(frames: np.ndarray, record: FileRecord = ULTRASOUND):  # type: ignore[no-untyped-def]
    return find_sector(Cine(frames, None, "as stored"), record)


@pytest.mark.parametrize("beam", [FAN, CONVEX, LINEAR], ids=["fan", "convex", "linear"])
def test_a_beam_is_found_among_all_that_a_screen_shows(beam: Beam) -> None:
    truth = beam.mask((ROWS, COLUMNS))
    sector = found(with_screen(speckle(truth)))
    assert overlap(sector.mask, truth) > 0.97
    assert (sector.source, sector.doppler) == ("estimated", False)
    assert sector.confidence > CERTAIN


def test_a_large_picture_is_looked_at_through_a_sieve() -> None:
    whole = FAN.scaled(5).mask((5 * ROWS, 5 * COLUMNS))
    sector = found(speckle(whole, frames=4))
    assert overlap(sector.mask, whole) > 0.98


def test_a_hole_without_echo_belongs_to_the_beam() -> None:
    truth = FAN.mask((ROWS, COLUMNS))
    frames = speckle(truth)
    frames[:, 50:75, 70:95] = 0
    sector = found(frames)
    assert sector.mask[60, 80]
    assert overlap(sector.mask, truth) > 0.97


def test_an_edge_without_echo_is_drawn_by_the_shape() -> None:
    truth = FAN.mask((ROWS, COLUMNS))
    frames = speckle(truth)
    frames[:, 60:75, 100:] = 0
    assert overlap(found(frames).mask, truth) > 0.97


def test_a_plausible_region_of_the_header_raises_the_confidence() -> None:
    truth = FAN.mask((ROWS, COLUMNS))
    frames = speckle(truth)
    frames[:, 60:75, 100:] = 0
    alone = found(frames)
    rows = np.flatnonzero(truth.any(1))
    region = (int(rows[0]), 20, int(rows[-1]) + 1, 140, 1)
    record = FileRecord(kind="cine", modality="US", regions=(region,))
    told = found(frames, record)
    assert told.source == "regions"
    assert told.confidence > alone.confidence


@pytest.mark.parametrize(
    "region", [(0, 0, 400, 400, 1), (0, 0, ROWS, COLUMNS, 1), (5, 5, 6, 6, 1), (50, 50, 20, 20, 1)]
)
def test_an_implausible_region_is_not_believed(region: tuple[int, int, int, int, int]) -> None:
    truth = FAN.mask((ROWS, COLUMNS))
    record = FileRecord(kind="cine", modality="US", regions=(region,))
    sector = found(with_screen(speckle(truth)), record)
    assert sector.source == "estimated"
    assert overlap(sector.mask, truth) > 0.97


def test_colours_of_flow_are_flagged_and_a_tinted_scale_is_not() -> None:
    truth = FAN.mask((ROWS, COLUMNS))
    frames = speckle(truth)
    tinted = (frames * np.array([1.0, 0.7, 0.2])).astype(np.uint8)
    assert not found(tinted).doppler
    frames[:, 50:60, 70:80] = (200, 0, 0)
    frames[:, 60:70, 70:80] = (0, 0, 200)
    assert found(frames).doppler


def test_a_cine_in_which_nothing_can_be_found_is_left_to_a_person() -> None:
    for frames in (np.zeros((4, 50, 60, 1), np.uint8), np.full((2, 2, 2, 3), 9, np.uint8)):
        sector = found(frames)
        assert (sector.source, sector.confidence) == ("rectangle", 0)
        assert sector.mask.all()


def test_frames_are_cropped_and_black_outside() -> None:
    frames = with_screen(speckle(LINEAR.mask((ROWS, COLUMNS))))
    sector = found(frames)
    kept = apply(frames, sector)
    assert kept.shape == (12, 80, 80, 3)
    np.testing.assert_array_equal(kept, frames[:, 15:95, 40:120])
    fan = found(speckle(FAN.mask((ROWS, COLUMNS))))
    top, left, bottom, right = fan.box
    outside = ~fan.mask[top:bottom, left:right]
    assert apply(frames, fan)[:, outside].max() == 0


def test_a_fit_gives_the_numbers_back() -> None:
    beam, fit = fit_beam(CONVEX.mask((ROWS, COLUMNS)))
    assert fit > 0.99
    assert beam.left == pytest.approx(-0.5, abs=0.02)
    assert beam.inner == pytest.approx(40, abs=2)
    assert beam.outer == pytest.approx(120, abs=1)


def film(opened: np.ndarray, *, seed: int = 2) -> np.ndarray:
    """Return gray frames: bright and noisy where it is open, nearly black elsewhere."""
    draw = np.random.default_rng(seed)
    bright = draw.normal(150, 6, (16, *opened.shape))
    closed = draw.normal(4, 1, (16, *opened.shape))
    return np.clip(np.where(opened, bright, closed), 0, 255).astype(np.uint8)[..., None]


def disc(row: float, column: float, radius: float) -> np.ndarray:
    y, x = np.ogrid[:ROWS, :COLUMNS]
    return (y + 0.5 - row) ** 2 + (x + 0.5 - column) ** 2 <= radius**2


FIELDS = {"box": Beam((12, 20, 110, 130)).mask((ROWS, COLUMNS)), "disc": disc(60, 80, 50)}


@pytest.mark.parametrize("opened", FIELDS.values(), ids=FIELDS)
def test_the_field_between_shutters_is_found_beside_letters(opened: np.ndarray) -> None:
    frames = film(opened)
    frames[:, 2:9, 4:60:3] = 255
    sector = found(frames, ANGIOGRAPHY)
    assert overlap(sector.mask, opened) > 0.98
    assert sector.confidence > CERTAIN


def test_without_shutters_all_is_field() -> None:
    frames = film(np.ones((ROWS, COLUMNS), bool))
    frames[:, 90:] //= 2  # anatomy that reaches the border is no shutter
    assert found(frames, ANGIOGRAPHY).mask.all()


def test_shutters_of_the_header_are_believed_where_they_leave_something_open() -> None:
    frames = film(np.ones((ROWS, COLUMNS), bool))
    box = (10, 20, 110, 130)
    told = FileRecord(kind="cine", modality="XA", shutters=(("rectangle", box),))
    sector = found(frames, told)
    assert (sector.source, sector.box) == ("shutters", box)
    shut = FileRecord(kind="cine", modality="XA", shutters=(("rectangle", (50, 50, 51, 51)),))
    assert found(frames, shut).source == "estimated"


def test_a_disc_inside_the_box_of_the_header_is_kept_alone() -> None:
    opened = disc(60, 80, 50)
    told = FileRecord(kind="cine", modality="XA", shutters=(("rectangle", (10, 30, 110, 130)),))
    sector = found(film(opened), told)
    assert overlap(sector.mask, opened) > 0.98
    assert sector.source == "shutters"


def test_circles_and_polygons_of_the_header_are_drawn() -> None:
    frames = film(np.ones((ROWS, COLUMNS), bool))
    round_one = FileRecord(kind="cine", modality="XA", shutters=(("circle", (60, 80, 50)),))
    area = found(frames, round_one).mask.sum()
    assert area == pytest.approx(math.pi * 50**2, rel=0.02)
    corners = (10, 80, 60, 20, 110, 80, 60, 140)
    diamond = FileRecord(kind="cine", modality="XA", shutters=(("polygon", corners),))
    assert found(frames, diamond).mask.sum() == pytest.approx(100 * 120 / 2, rel=0.05)


def test_letters_that_stand_still_in_the_field_are_cut_out_and_shown_to_a_person() -> None:
    frames = film(np.ones((ROWS, COLUMNS), bool))
    frames[:, 30:38, 40:90:3] = 255
    sector = found(frames, ANGIOGRAPHY)
    assert not sector.mask[30:38, 40:88].any()
    assert sector.mask.mean() > 0.95
    assert sector.confidence < CERTAIN
    assert sector.doubt == "letters"
