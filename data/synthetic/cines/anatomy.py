"""Coronary trees on an ellipsoid heart, in millimetres, with narrowings that are exact.

Places are those of `textbook`. The heart's long axis points to the left, front and feet, so that a
left oblique camera looks down it, as in a patient.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from cinelex.data.synthetic.cines.findings import Dominance
from cinelex.data.synthetic.cines.textbook import LEFT_DOMINANT, RIGHT_DOMINANT, BranchShape

LONG_AXIS = np.array([0.58, 0.58, -0.57]) / np.linalg.norm([0.58, 0.58, -0.57])


@dataclass(frozen=True)
class Branch:
    """One branch of one patient, sampled at equal steps along its centreline."""

    name: str
    parent: int | None
    """Place of the parent in the tree."""
    joint: int
    """The parent's point that the branch leaves from."""
    points: Float[np.ndarray, "point 3"]
    """Patient coordinates (left, front, head), in millimetres."""
    distance: Float[np.ndarray, " point"]
    """Way of the blood from the ostium, in millimetres."""
    reference: Float[np.ndarray, " point"]
    """Radius of the healthy lumen, in millimetres."""
    radius: Float[np.ndarray, " point"]
    """Radius with lesions: reference · (1 − percent / 100 · shape), shape 1 at the throat."""
    offset: Float[np.ndarray, " point"]
    """Shift of the lumen towards one wall at an eccentric lesion, in millimetres."""
    collateral: Bool[np.ndarray, " point"]
    """True behind an occlusion, where blood arrives late, thin, by other ways."""


@dataclass(frozen=True)
class Heart:
    """The patient's own sizes, drawn once per patient."""

    radius_mm: float
    length_mm: float
    tilt: Float[np.ndarray, "3 3"]
    """Columns: up at the base, left at the base, long axis."""

    def surface(self, places: Float[np.ndarray, "point 2"]) -> Float[np.ndarray, "point 3"]:
        """Return the millimetre coordinates of places (turn, depth)."""
        turn, angle = places[:, 0], places[:, 1] * np.pi / 2
        ring = self.radius_mm * np.cos(angle)
        local = np.stack(
            [ring * np.cos(turn), ring * np.sin(turn), self.length_mm * np.sin(angle)], axis=1
        )
        return (local - [0, 0, 0.35 * self.length_mm]) @ self.tilt.T


def draw_heart(generator: np.random.Generator, *, variation: float) -> Heart:
    """Draw a patient's heart; `variation` scales the spread, 1 is about ±10 % and ±8 degrees."""
    noise = generator.normal(size=5) * variation
    axis = LONG_AXIS + 0.08 * noise[:3]
    axis /= np.linalg.norm(axis)
    up = np.array([0.0, 0.0, 1.0]) - axis[2] * axis
    up /= np.linalg.norm(up)
    left = np.cross(axis, up)
    return Heart(
        radius_mm=float(36 * np.exp(0.08 * noise[3])),
        length_mm=float(74 * np.exp(0.08 * noise[4])),
        tilt=np.stack([up, left, axis], axis=1),
    )


def catmull_rom(
    knots: Float[np.ndarray, "knot axis"], count: int
) -> Float[np.ndarray, "point axis"]:
    """Return `count` points of the smooth curve through `knots`, the ends included."""
    padded = np.vstack([2 * knots[0] - knots[1], knots, 2 * knots[-1] - knots[-2]])
    along = np.linspace(0, len(knots) - 1 - 1e-9, count)
    start = along.astype(np.int64)
    part = (along - start)[:, None]
    a, b, c, d = (padded[start + shift] for shift in range(4))
    return 0.5 * (
        2 * b + (c - a) * part + (2 * a - 5 * b + 4 * c - d) * part**2
        + (3 * b - a - 3 * c + d) * part**3
    )  # fmt: skip


def build_tree(
    lesions: Mapping[str, int], side: str, *, dominance: Dominance, tortuous: bool,
    patient_seed: int, study_seed: int, variation: float, step_mm: float,
) -> list[Branch]:  # fmt: skip
    """Build the tree of one side: shape from the patient, place and form of lesions from the study.

    No draw depends on a percentage, so that changing one changes nothing else.
    """
    shapes = (RIGHT_DOMINANT if dominance == "right" else LEFT_DOMINANT)[side]
    heart = draw_heart(np.random.default_rng((patient_seed, 0)), variation=variation)
    tree: list[Branch] = []
    order: dict[str, int] = {}
    curves: dict[str, Float[np.ndarray, "point 2"]] = {}
    for number, shape in enumerate(shapes):
        patient = np.random.default_rng((patient_seed, 1 + (side == "right"), number))
        study = np.random.default_rng((study_seed, 1 + (side == "right"), number))
        parent = None if shape.parent is None else order[shape.parent]
        curve = _draw_curve(shape, curves, patient, variation)
        curves[shape.name] = curve
        order[shape.name] = number
        above = None if parent is None else tree[parent]
        wave = 2.6 if tortuous else 0.5
        points, joint = _place_curve(shape, heart.surface(curve), above, patient, wave, step_mm)
        tree.append(_add_lumen(shape, points, parent, joint, tree, lesions, patient, study))
    return tree


def _draw_curve(
    shape: BranchShape, curves: Mapping[str, Float[np.ndarray, "point 2"]],
    generator: np.random.Generator, variation: float,
) -> Float[np.ndarray, "point 2"]:  # fmt: skip
    """Return 64 places along the patient's version of a branch."""
    knots = np.array(shape.places)
    knots = knots + 0.06 * variation * generator.normal(size=knots.shape) * [1.0, 0.5]
    if shape.parent is not None:
        above = curves[shape.parent]
        start = above[round(shape.leaves_at * (len(above) - 1))].copy()
        if start[0] > 2 and knots[0, 0] < -2:
            start[0] -= 2 * np.pi
        knots = np.vstack([start, knots])
    return catmull_rom(knots, 64)


def _place_curve(
    shape: BranchShape, raw: Float[np.ndarray, "place 3"], above: Branch | None,
    generator: np.random.Generator, wave_mm: float, step_mm: float,
) -> tuple[Float[np.ndarray, "point 3"], int]:  # fmt: skip
    """Resample a curve at equal steps, let it wind, and hang it on its parent's centreline."""
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(raw, axis=0), axis=1))])
    count = max(12, int(length[-1] / step_mm))
    way = np.linspace(0, length[-1], count)
    points = np.stack([np.interp(way, length, raw[:, axis]) for axis in range(3)], axis=1)
    tangent = np.diff(points, axis=0, append=points[-1:])
    tangent[-1] = tangent[-2]
    sideways = _cross(tangent, points)
    sideways /= np.linalg.norm(sideways, axis=1, keepdims=True) + 1e-9
    waves = length[-1] / generator.uniform(20, 27)
    swing = np.sin(2 * np.pi * waves * way / length[-1] + generator.uniform(0, 2 * np.pi))
    swing *= wave_mm * np.clip(way / 12, 0, 1)
    points = points + swing[:, None] * sideways
    if above is None:
        return points, 0
    joint = round(shape.leaves_at * (len(above.points) - 1))
    fade = np.clip(1 - way / (0.6 * length[-1]), 0, 1)[:, None]
    return points + (above.points[joint] - points[0]) * fade, joint


def _cross(
    a: Float[np.ndarray, "point 3"], b: Float[np.ndarray, "point 3"]
) -> Float[np.ndarray, "point 3"]:
    """Return a × b row by row; np.cross is ten times slower on arrays this small."""
    return a[:, [1, 2, 0]] * b[:, [2, 0, 1]] - a[:, [2, 0, 1]] * b[:, [1, 2, 0]]


def lesion_shape(
    way: Float[np.ndarray, " point"], *, centre: float, half_length: float
) -> Float[np.ndarray, " point"]:
    """Return w(s): 1 on the middle two fifths, falling smoothly to 0 at `half_length` mm."""
    rise = np.clip((half_length - np.abs(way - centre)) / (0.6 * half_length), 0, 1)
    return rise * rise * (3 - 2 * rise)


def _add_lumen(
    shape: BranchShape, points: Float[np.ndarray, "point 3"], parent: int | None, joint: int,
    tree: list[Branch], lesions: Mapping[str, int], patient: np.random.Generator,
    study: np.random.Generator,
) -> Branch:  # fmt: skip
    """Give a centreline its radii: taper with mild irregularity, then the lesions."""
    way = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    share = way / way[-1]
    wobble = np.sin(2 * np.pi * (share * patient.uniform(2, 4) + patient.uniform()))
    calibre = np.exp(0.08 * patient.normal())
    reference = calibre * np.interp(share, [0, 1], shape.radius) * (1 + 0.03 * wobble)
    radius, offset = reference.copy(), np.zeros_like(reference)
    above = None if parent is None else tree[parent]
    collateral = np.full(len(way), above is not None and bool(above.collateral[joint]))
    for segment, start, stop in shape.segments:
        place, long, wall = study.uniform(0.42, 0.58), study.uniform(7, 10), study.integers(-1, 2)
        percent = lesions.get(segment, 0)
        if percent == 0:
            continue
        span = (stop - start) * way[-1]
        centre = way[np.argmin(np.abs(way - (start + place * (stop - start)) * way[-1]))]
        weight = lesion_shape(way, centre=centre, half_length=min(long, 0.46 * span))
        radius = radius * (1 - percent / 100 * weight)
        offset = offset + 0.8 * wall * reference * percent / 100 * weight
        if percent == 100:
            collateral |= way > centre
    base = 0.0 if above is None else above.distance[joint]
    return Branch(
        shape.name, parent, joint, points, base + way, reference, radius, offset, collateral
    )
