"""Everything that absorbs X-rays in one view of one study, as tubes on a canvas."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float

from cinelex.data.synthetic.cines.anatomy import Branch, build_tree, catmull_rom
from cinelex.data.synthetic.cines.findings import Findings
from cinelex.data.synthetic.cines.lumen import ANTEGRADE, CATHETER, COLLATERAL, METAL, VEIN, Tube
from cinelex.data.synthetic.cines.views import Camera, View, aim


@dataclass(frozen=True)
class Scene:
    """The tubes of a view, and the scale that turns their depth into millimetres."""

    beating: list[Tube]
    """Vessels, catheter, pacemaker lead, calcium: what moves with the heart."""
    standing: list[Tube]
    """Sternal wires."""
    mm_per_pixel: float
    """Millimetres of blood per canvas pixel of depth."""
    ostium: tuple[float, float]
    """Where the heart is held, −1 to 1 over the frame (column, row)."""


def compose(
    findings: Findings, view: View, *, patient_seed: int, study_seed: int, view_seed: int,
    canvas: int, widening: float, variation: float,
) -> Scene:  # fmt: skip
    """Set up one view; vessels are `widening` times as wide as in a patient, narrowings exact."""
    tree = _grow(
        tuple(findings.lesions.items()), view.side, dominance=findings.dominance,
        tortuous=findings.tortuous, patient_seed=patient_seed, study_seed=study_seed,
        variation=variation, step_mm=105 / canvas,
    )  # fmt: skip
    generator = np.random.default_rng((view_seed, 1))
    camera = aim(
        view, np.concatenate([branch.points for branch in tree]), canvas=canvas,
        fill=0.88, jitter=generator.uniform(-5, 5, size=2) * variation,
    )  # fmt: skip
    scale = camera.project(tree[0].points[:1])[1][0] * widening
    beating = [_vessel(branch, tree, camera, widening) for branch in tree]
    ostium = beating[0].centre[0]
    beating += [_catheter(ostium, beating[0].centre[3], generator, radius=scale, canvas=canvas)]
    beating += _veins(camera, tree, generator, widening)
    if findings.calcified:
        beating += _calcium(tree, camera, np.random.default_rng((study_seed, 7)), widening)
    if findings.pacemaker:
        beating += _lead(camera, scale)
    standing = _wires(camera, scale, canvas) if findings.sternal_wires else []
    low, high = 2 * ostium / canvas - 1
    return Scene(beating, standing, float(1 / scale), (float(low), float(high)))


@lru_cache(maxsize=4)
def _grow(lesions: tuple[tuple[str, int], ...], side: str, **how: Any) -> list[Branch]:
    """Build a tree, or return the one that the study's last view of this side was made from."""
    return build_tree(dict(lesions), side, **how)


def _vessel(branch: Branch, tree: Sequence[Branch], camera: Camera, widening: float) -> Tube:
    """Return the lumen of a branch, shifted to one wall at eccentric lesions."""
    centre, scale = camera.project(branch.points)
    along = np.gradient(centre, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    shift = branch.offset * scale * widening
    centre = centre + shift[:, None] * np.stack([-along[:, 1], along[:, 0]], axis=1)
    longest = max(float(other.distance[-1]) for other in tree)
    code = np.minimum(branch.distance / longest * ANTEGRADE, ANTEGRADE - 1).astype(np.int64)
    code = code + np.where(branch.collateral, COLLATERAL, 0)
    radius = branch.radius * scale * widening
    return Tube(centre, radius, code, parent=branch.parent, joint=branch.joint)


def _catheter(
    ostium: Float[np.ndarray, " 2"], inside: Float[np.ndarray, " 2"],
    generator: np.random.Generator, *, radius: float, canvas: int,
) -> Tube:  # fmt: skip
    """Return the catheter that comes down the aorta and hooks into the ostium."""
    away = ostium - inside
    away /= np.linalg.norm(away) + 1e-9
    side = 1.0 if away[0] > 0 else -1.0
    lean = generator.uniform(0.05, 0.16) * side
    knots = np.array([
        inside,
        ostium + 0.05 * canvas * away,
        ostium + canvas * np.array([0.8 * lean + 0.05 * away[0], -0.14]),
        [ostium[0] + canvas * lean * 0.6, min(ostium[1] - 0.3 * canvas, -0.12 * canvas)],
    ])  # fmt: skip
    centre = catmull_rom(knots, max(60, canvas))
    count = len(centre)
    return Tube(centre, np.full(count, 0.85 * radius), np.full(count, CATHETER), density=0.75)


def _veins(
    camera: Camera, tree: Sequence[Branch], generator: np.random.Generator, widening: float
) -> list[Tube]:
    """Return wide, faint veins beside two of the arteries; they fill when these empty."""
    veins = []
    for branch in tree[:2]:
        start = len(branch.points) // 4
        centre, scale = camera.project(branch.points[start:] * 0.9 + generator.normal(size=3) * 4)
        radius = np.linspace(2.6, 1.5, len(centre)) * scale * (0.5 + 0.5 * widening)
        veins.append(Tube(centre, radius, np.full(len(centre), VEIN), density=0.13))
    return veins


def _calcium(
    tree: Sequence[Branch], camera: Camera, generator: np.random.Generator, widening: float
) -> list[Tube]:
    """Return dense flecks along the walls of the main arteries, to be seen before any contrast."""
    flecks = []
    for branch in [b for b in tree if b.name in ("lad", "lcx", "rca")]:
        count = len(branch.points)
        for _ in range(3):
            start = int(generator.uniform(0.05, 0.6) * count)
            part = slice(start, start + max(3, int(generator.uniform(0.04, 0.08) * count)))
            centre, scale = camera.project(branch.points[part])
            wall = branch.reference[part, None] * scale[:, None] * widening
            centre = centre + wall * generator.uniform(-0.9, 0.9, size=2)
            radius = generator.uniform(0.6, 0.8) * scale * widening
            flecks.append(Tube(centre, radius, np.full(len(centre), METAL), density=1.1))
    return flecks


def _lead(camera: Camera, scale: float) -> list[Tube]:
    """Return the pacemaker lead: from the left shoulder through the right heart to its tip."""
    knots = np.array([
        [75.0, 10, 95], [20, 0, 88], [-22, 0, 62], [-34, 0, 25], [-26, 8, -14], [2, 28, -34],
        [22, 40, -36],
    ])  # fmt: skip
    centre, _ = camera.project(catmull_rom(knots, 360))
    radius = np.full(len(centre), 0.5 * scale)
    radius[-10:] = radius[-34:-26] = 1.0 * scale
    return [Tube(centre, radius, np.full(len(centre), METAL), density=1.9)]


def _wires(camera: Camera, scale: float, canvas: int) -> list[Tube]:
    """Return the steel loops that hold a sternum after surgery, one above the other."""
    centre, _ = camera.project(np.array([[0.0, 35.0, 0.0]]))
    column = float(np.clip(centre[0, 0], 0.14 * canvas, 0.86 * canvas))
    turn = np.linspace(0, 2 * np.pi, max(48, canvas // 2))
    share = np.linspace(0, 1, max(24, canvas // 4))
    loops = []
    for number in range(5):
        middle = np.array([column, canvas * (0.08 + 0.21 * number)])
        loop = np.stack([0.066 * np.cos(turn), 0.03 * np.sin(turn) + 0.012 * np.cos(turn)], axis=1)
        tail = np.stack([0.012 * np.sin(3 * np.pi * share), 0.03 + 0.04 * share], axis=1)
        path = middle + canvas * np.concatenate([loop, tail])
        radius = np.full(len(path), 0.4 * scale)
        loops.append(Tube(path, radius, np.full(len(path), METAL), density=2.2))
    return loops
