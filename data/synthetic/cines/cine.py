"""One cine: absorption of everything in the view, frame by frame, and the detector's noise."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float, UInt

from cinelex.data.synthetic.cines.background import Motion, chest, diaphragm, warp
from cinelex.data.synthetic.cines.findings import Findings
from cinelex.data.synthetic.cines.lumen import Bolus, Paint, paint
from cinelex.data.synthetic.cines.scene import Scene, compose
from cinelex.data.synthetic.cines.settings import StudySetSettings
from cinelex.data.synthetic.cines.views import View

ABSORPTION_PER_MM: Final = 0.27
"""Nats that a millimetre of contrast agent takes away."""


@dataclass(frozen=True)
class CinePlan:
    """Everything that decides the pixels of one cine, together with the settings."""

    findings: Findings
    view: View
    patient_seed: int
    """Anatomy."""
    study_seed: int
    """Places of lesions and calcium."""
    view_seed: int
    """Camera, motion, bolus, background and noise of this cine."""


def render_cine(
    plan: CinePlan, settings: StudySetSettings
) -> Float[np.ndarray, "frame row column"]:
    """Return the cine without noise, as float32 in 0 (black) to 1."""
    scene = _scene(plan, settings)
    generator = np.random.default_rng((plan.view_seed, 2))
    size, frames, hard = settings.size, settings.frames, settings.difficulty
    canvas = _canvas(settings)
    motion = Motion(
        beats=generator.uniform(1.6, 2.6),
        phase=generator.uniform(),
        squeeze=(0.03 + 0.07 * hard) * generator.uniform(0.7, 1.2),
        breath=(0.01 + 0.04 * hard) * generator.uniform(0.5, 1.0),
        breath_phase=generator.uniform(),
    )
    bolus = Bolus(start=generator.uniform(0.06, 0.13), slow=plan.findings.flow == 2)
    table = bolus.table(frames)
    beating = _fill(paint(scene.beating, canvas=canvas), table, canvas)
    moved = warp(beating, motion, size=size, anchor=scene.ostium, twist=0.6 * motion.squeeze)
    depth = (ABSORPTION_PER_MM * scene.mm_per_pixel) * moved
    depth += diaphragm(motion, generator, size=size, frames=frames)
    depth += chest(plan.view, generator, size=size, contrast=0.4 + 0.6 * hard)
    if scene.standing:
        depth += _stand(scene, canvas, size)
    gain = np.float32(1.2 * generator.uniform(0.92, 1.05))
    return np.clip(gain * np.exp(-depth), 0, 1)


def add_noise(
    clean: Float[np.ndarray, "frame row column"], plan: CinePlan, settings: StudySetSettings, *,
    levels: int = 256,
) -> UInt[np.ndarray, "frame row column"]:  # fmt: skip
    """Return the cine as the detector counts it: quantum noise, then so many grey levels.

    Up to 256 levels are bytes, more are two bytes each. The draws do not depend on the picture, so
    that two cines that differ in one lesion share them.
    """
    generator = np.random.default_rng((plan.view_seed, 3))
    photons = np.float32(2500 * 0.2**settings.difficulty)
    noise = generator.standard_normal(clean.shape, dtype=np.float32)
    noisy = clean + np.sqrt(clean / photons) * noise
    top = levels - 1
    return np.clip(top * noisy + 0.5, 0, top).astype(np.uint8 if levels <= 256 else np.uint16)


def _canvas(settings: StudySetSettings) -> int:
    """Return rows and columns of the canvas: twice the frame where frames are small."""
    return settings.size * (2 if settings.size <= 112 else 1)


def _scene(plan: CinePlan, settings: StudySetSettings) -> Scene:
    """Return the tubes of the cine."""
    return compose(
        plan.findings, plan.view, patient_seed=plan.patient_seed, study_seed=plan.study_seed,
        view_seed=plan.view_seed, canvas=_canvas(settings),
        widening=1 + 1.25 * (1 - settings.difficulty) ** 1.5,
        variation=0.3 + 0.9 * settings.difficulty,
    )  # fmt: skip


def _fill(
    painted: Paint, table: Float[np.ndarray, "frame code"], canvas: int
) -> Float[np.ndarray, "frame height width"]:
    """Sum depth times filling over what covers each pixel, and soften the grid of the canvas."""
    order = np.argsort(painted.pixel, kind="stable")
    pixel, depth = painted.pixel[order], painted.depth[order]
    first = np.flatnonzero(np.diff(pixel, prepend=-1))
    parts = table.take(painted.code[order], axis=1) * depth
    frames = np.zeros((len(table), canvas * canvas), dtype=np.float32)
    frames[:, pixel[first]] = np.add.reduceat(parts, first, axis=1)
    filled = frames.reshape(len(table), canvas, canvas)
    filled[:, :-1] += filled[:, 1:]
    filled[:, :, :-1] += filled[:, :, 1:]
    return filled * np.float32(0.25)


def _stand(scene: Scene, canvas: int, size: int) -> Float[np.ndarray, "row column"]:
    """Return the absorption of what stands still and is not tissue."""
    painted = paint(scene.standing, canvas=canvas)
    flat = np.bincount(painted.pixel, painted.depth, minlength=canvas * canvas)
    times = canvas // size
    square = flat.reshape(size, times, size, times).mean(axis=(1, 3))
    return (ABSORPTION_PER_MM * scene.mm_per_pixel * square).astype(np.float32)
