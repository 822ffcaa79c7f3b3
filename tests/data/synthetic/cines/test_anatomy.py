"""The geometry is exact: a narrowing of p percent leaves 100 − p percent of the diameter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cinelex.data.synthetic.cines.anatomy import Branch, build_tree, lesion_shape
from cinelex.data.synthetic.cines.findings import SEGMENTS, Findings
from cinelex.data.synthetic.cines.scene import compose
from cinelex.data.synthetic.cines.views import VIEWS


def findings(lesions: dict[str, int], dominance: str = "right", flow: int = 3) -> Findings:
    return Findings(
        lesions,
        "left" if dominance == "left" else "right",
        flow,
        tortuous=False,
        calcified=False,
        sternal_wires=False,
        pacemaker=False,
    )


def grow(truth: Findings, side: str, seed: int = 3) -> list[Branch]:
    return build_tree(
        truth.lesions,
        side,
        dominance=truth.dominance,
        tortuous=False,
        patient_seed=seed,
        study_seed=seed + 1,
        variation=0.5,
        step_mm=0.7,
    )


def narrowest(tree: list[Branch]) -> float:
    return min(float((branch.radius / branch.reference).min()) for branch in tree)


@given(
    segment=st.sampled_from(SEGMENTS),
    percent=st.integers(1, 100),
    dominance=st.sampled_from(["left", "right"]),
    seed=st.integers(0, 50),
)
@hypothesis_settings(max_examples=40, deadline=None)
def test_throat_leaves_exactly_the_rest_of_the_diameter(
    segment: str, percent: int, dominance: str, seed: int
) -> None:
    truth = findings({segment: percent}, dominance)
    throats = [narrowest(grow(truth, side, seed)) for side in ("left", "right")]
    assert min(throats) == pytest.approx(1 - percent / 100, abs=1e-12)
    assert max(throats) == 1.0


def test_every_segment_has_its_own_place_in_exactly_one_tree() -> None:
    for dominance in ("left", "right"):
        changed: dict[str, list[tuple[str, str, float, float]]] = {}
        for segment in SEGMENTS:
            for side in ("left", "right"):
                tree = grow(findings({segment: 50}, dominance), side)
                for branch in tree:
                    narrow = branch.radius < branch.reference * 0.99
                    if narrow.any():
                        way = branch.distance - branch.distance[0]
                        changed.setdefault(segment, []).append(
                            (side, branch.name, float(way[narrow].min()), float(way[narrow].max()))
                        )
        assert all(len(places) == 1 for places in changed.values())
        assert set(changed) == set(SEGMENTS)
        lad = [changed[name][0] for name in ("left_main", "proximal_lad", "mid_lad", "distal_lad")]
        assert all(a[3] < b[2] for a, b in zip(lad, lad[1:], strict=False))


def test_dominance_decides_which_artery_gives_the_posterior_branches() -> None:
    for dominance, side in (("left", "left"), ("right", "right")):
        for tree_side in ("left", "right"):
            names = {branch.name for branch in grow(findings({}, dominance), tree_side)}
            assert ({"pda", "plv"} <= names) == (tree_side == side)


def test_changing_a_percentage_moves_no_centreline_and_no_healthy_radius() -> None:
    before = grow(findings({"mid_lad": 40, "om1": 70}), "left")
    after = grow(findings({"mid_lad": 90, "om1": 70}), "left")
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old.points, new.points)
        np.testing.assert_array_equal(old.reference, new.reference)
        if old.name != "lad":
            np.testing.assert_array_equal(old.radius, new.radius)


def test_only_what_lies_behind_an_occlusion_fills_late() -> None:
    tree = {branch.name: branch for branch in grow(findings({"mid_lad": 100}), "left")}
    lad = tree["lad"]
    throat = int(np.argmin(lad.radius))
    assert not lad.collateral[:throat].any()
    assert lad.collateral[-1]
    assert not tree["lcx"].collateral.any()
    assert not tree["d1"].collateral.any()


def test_lesion_shape_is_one_in_the_middle_and_zero_at_its_ends() -> None:
    way = np.linspace(0, 20, 201)
    shape = lesion_shape(way, centre=10.0, half_length=5.0)
    assert shape[100] == 1
    assert shape[80] == 1
    np.testing.assert_array_equal(shape[np.abs(way - 10) >= 5.0001], 0)
    assert shape[np.argmin(np.abs(way - 6.5))] == pytest.approx(0.5)


def test_a_child_starts_on_its_parents_centreline() -> None:
    for side in ("left", "right"):
        tree = grow(findings({}), side)
        for branch in tree:
            if branch.parent is not None:
                joint = tree[branch.parent].points[branch.joint]
                np.testing.assert_allclose(branch.points[0], joint, atol=1e-9)


def test_projection_keeps_the_share_that_a_narrowing_takes() -> None:
    for percent in (0, 60):
        scene = compose(
            findings({"proximal_rca": percent} if percent else {}),
            VIEWS["right"][0],
            patient_seed=1,
            study_seed=2,
            view_seed=3,
            canvas=256,
            widening=1.0,
            variation=0.5,
        )
        radius = scene.beating[0].radius
        if percent == 0:
            healthy = radius
    assert (radius / healthy).min() == pytest.approx(0.4, abs=1e-9)


def test_the_tree_fills_the_frame_in_every_view() -> None:
    for side, views in VIEWS.items():
        for view in views:
            scene = compose(
                findings({}),
                view,
                patient_seed=1,
                study_seed=2,
                view_seed=3,
                canvas=128,
                widening=1.0,
                variation=0.5,
            )
            count = len(grow(findings({}), side))
            centre = np.concatenate([tube.centre for tube in scene.beating[:count]])
            extent = centre.max(0) - centre.min(0)
            assert extent.max() == pytest.approx(0.88 * 128, rel=0.02)
            assert centre.min() > 0
            assert centre.max() < 128
