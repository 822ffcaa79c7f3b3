"""A cine shows its findings, while the contrast agent fills, and nothing else changes."""

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from jaxtyping import Float

from cinelex.data.synthetic.cines.cine import CinePlan, add_noise, render_cine
from cinelex.data.synthetic.cines.findings import SEGMENTS, Findings
from cinelex.data.synthetic.cines.lumen import (
    ANTEGRADE,
    COLLATERAL,
    METAL,
    Bolus,
    Tube,
    paint,
)
from cinelex.data.synthetic.cines.settings import StudySetSettings
from cinelex.data.synthetic.cines.views import VIEWS

SETTINGS = StudySetSettings()
HEALTHY = Findings({}, "right", 3, False, False, False, False)


def plan(findings: Findings, side: str = "left", view: int = 0, seed: int = 11) -> CinePlan:
    return CinePlan(
        findings, VIEWS[side][view], patient_seed=seed, study_seed=seed + 1, view_seed=seed + 2
    )


def change(
    before: Findings, after: Findings, side: str = "left", view: int = 0, seed: int = 11
) -> Float[np.ndarray, "frame row column"]:
    old = render_cine(plan(before, side, view, seed), SETTINGS)
    return render_cine(plan(after, side, view, seed), SETTINGS) - old


def test_same_seed_gives_the_same_pixels_and_another_seed_others() -> None:
    first = render_cine(plan(HEALTHY), SETTINGS)
    np.testing.assert_array_equal(first, render_cine(plan(HEALTHY), SETTINGS))
    assert np.abs(first - render_cine(plan(HEALTHY, seed=12), SETTINGS)).max() > 0.1
    noisy = add_noise(first, plan(HEALTHY), SETTINGS)
    np.testing.assert_array_equal(noisy, add_noise(first, plan(HEALTHY), SETTINGS))


def test_cine_has_the_shape_of_the_settings_and_lies_in_zero_to_one() -> None:
    cine = render_cine(plan(HEALTHY), StudySetSettings(size=96, frames=10))
    assert cine.shape == (10, 96, 96)
    assert cine.dtype == np.float32
    assert cine.min() >= 0
    assert cine.max() <= 1


@pytest.mark.parametrize("segment", SEGMENTS)
@pytest.mark.parametrize("dominance", ["right", "left"])
def test_every_lesion_shows_in_one_of_the_views_that_every_study_has(
    segment: str, dominance: Literal["right", "left"]
) -> None:
    """Ideal-observer contrast against the quantum noise: every first view must reach 5 sigma."""
    healthy = replace(HEALTHY, dominance=dominance)
    ill = replace(healthy, lesions={segment: 50})
    for view in (0, 1):
        best = 0.0
        for side in ("left", "right"):
            difference = change(healthy, ill, side, view)
            best = max(best, float(np.sqrt((difference[6:9] ** 2).sum(axis=(1, 2))).max() / 0.025))
        assert best > 5


@pytest.mark.parametrize("segment", ["proximal_lad", "distal_lcx", "om1"])
def test_a_narrowing_shows_only_in_the_middle_of_the_cine(segment: str) -> None:
    moved = np.abs(change(HEALTHY, replace(HEALTHY, lesions={segment: 80}))).max(axis=(1, 2))
    assert moved[:2].max() == 0
    assert moved[-1] == 0
    assert moved[6:10].max() > 0.05


def test_a_worse_narrowing_changes_more() -> None:
    sizes = [
        np.square(change(HEALTHY, replace(HEALTHY, lesions={"mid_lad": percent}))).sum()
        for percent in (30, 50, 70, 90)
    ]
    assert sizes == sorted(sizes)


def test_slow_flow_fills_late_and_keeps_its_contrast_to_the_end() -> None:
    slow = replace(HEALTHY, flow=2)
    normal, late = (render_cine(plan(f), SETTINGS) for f in (HEALTHY, slow))
    empty = normal[0]
    assert np.square(normal[5] - empty).sum() > 2 * np.square(late[5] - empty).sum()
    assert np.square(late[-1] - empty).sum() > 2 * np.square(normal[-1] - empty).sum()


@pytest.mark.parametrize(
    "dense",
    [
        replace(HEALTHY, calcified=True),
        replace(HEALTHY, sternal_wires=True),
        replace(HEALTHY, pacemaker=True),
    ],
)
def test_what_is_dense_is_seen_before_any_contrast(dense: Findings) -> None:
    difference = change(HEALTHY, dense)
    assert difference[0].min() < -0.1
    assert difference[0].max() < 1e-6


def test_tortuous_vessels_run_elsewhere() -> None:
    assert np.abs(change(HEALTHY, replace(HEALTHY, tortuous=True))[8]).max() > 0.2


def test_noise_is_quantum_noise() -> None:
    """Variance is intensity / photons, plus 1/12 of a grey level squared from rounding."""
    settings = StudySetSettings(size=256, frames=8, difficulty=0.0)
    flat = np.full((8, 256, 256), 0.5, dtype=np.float32)
    noisy = add_noise(flat, plan(HEALTHY), settings) / 255
    assert noisy.mean() == pytest.approx(0.5, abs=2e-4)
    assert noisy.var() == pytest.approx(0.5 / 2500 + 1 / 12 / 255**2, rel=0.01)


def test_depth_of_a_straight_tube_is_the_chord() -> None:
    """2·sqrt(r² − d²) for a tube of radius 5 along row 16."""
    centre = np.stack([np.arange(2, 30, 0.25), np.full(112, 16.0)], axis=1)
    tube = Tube(centre, np.full(112, 5.0), np.full(112, METAL))
    painted = paint([tube], canvas=32)
    depth = np.zeros(32 * 32)
    depth[painted.pixel] = painted.depth
    across = depth.reshape(32, 32)[:, 16]
    distance = np.arange(32) - 16.0
    np.testing.assert_allclose(
        across, 2 * np.sqrt(np.clip(25 - distance**2, 0, None)), atol=2e-3, rtol=2e-3
    )


def test_branches_add_where_they_cross_and_blend_where_they_join() -> None:
    run = np.arange(4, 60, 0.5)
    level = Tube(np.stack([run, np.full(112, 32.0)], 1), np.full(112, 3.0), np.full(112, 5))
    upright = Tube(np.stack([np.full(112, 32.0), run], 1), np.full(112, 3.0), np.full(112, 5))
    child = Tube(upright.centre[56:], upright.radius[56:], upright.code[56:], parent=0, joint=56)

    def darkest(tubes: list[Tube]) -> float:
        painted = paint(tubes, canvas=64)
        return float(np.bincount(painted.pixel, painted.depth).max())

    assert darkest([level, upright]) == pytest.approx(12, abs=0.01)
    assert darkest([level, child]) == pytest.approx(6, abs=0.05)


def test_a_tube_without_lumen_paints_nothing() -> None:
    tube = Tube(np.full((5, 2), 8.0), np.zeros(5), np.zeros(5, dtype=np.int64))
    assert len(paint([tube], canvas=16).pixel) == 0


def test_filling_starts_at_the_ostium_and_ends_at_nothing() -> None:
    table = Bolus(start=0.1, slow=False).table(16)
    assert table[0, :ANTEGRADE].max() == 0
    assert table[-1, : COLLATERAL + ANTEGRADE].max() == 0
    assert table.min() >= 0
    assert table.max() <= 1
    assert table[8, COLLATERAL : COLLATERAL + ANTEGRADE].max() < 0.6
