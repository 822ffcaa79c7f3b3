"""C-arm views: camera angles, the cone-beam projection, and the zoom that fills the frame."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float

SOURCE_TO_ISOCENTRE_MM: Final = 750.0
SOURCE_TO_DETECTOR_MM: Final = 1050.0


@dataclass(frozen=True)
class View:
    """A camera position over one coronary artery."""

    side: str
    """The injected artery, `left` or `right`."""
    oblique: int
    """Degrees to the patient's left (LAO, positive) or right (RAO, negative)."""
    tilt: int
    """Degrees towards the head (cranial, positive) or the feet (caudal, negative)."""

    def __str__(self) -> str:
        turn = f"{'LAO' if self.oblique > 0 else 'RAO'} {abs(self.oblique)}"
        tilt = f" {'CRA' if self.tilt > 0 else 'CAU'} {abs(self.tilt)}"
        return f"{self.side} {turn if self.oblique else 'AP'}{tilt if self.tilt else ''}"


ANGLES: Final = {
    "left": ((-25, -20), (48, 25), (0, 38), (-5, -32), (45, -22)),
    "right": ((28, 22), (-30, 0), (40, 0), (0, 28)),
}
VIEWS: Final = {
    side: tuple(View(side, *pair) for pair in angles) for side, angles in ANGLES.items()
}
"""Views of each artery; the first two of a side show all its segments well."""

STANDARD_VIEWS: Final = (VIEWS["left"][0], VIEWS["left"][1], VIEWS["right"][0])
"""What a study is filmed from unless its settings say otherwise."""


@dataclass(frozen=True)
class Camera:
    """A projection from patient millimetres to canvas pixels."""

    right: Float[np.ndarray, " 3"]
    up: Float[np.ndarray, " 3"]
    forward: Float[np.ndarray, " 3"]
    centre: Float[np.ndarray, " 3"]
    middle: Float[np.ndarray, " 2"]
    pixels_per_mm: float
    """At the detector."""
    offset: Float[np.ndarray, " 2"]
    """Canvas position (column, row) of `middle`."""

    def project(
        self, points: Float[np.ndarray, "point 3"]
    ) -> tuple[Float[np.ndarray, "point 2"], Float[np.ndarray, " point"]]:
        """Return (column, row) in pixels, and the pixels that a millimetre there covers."""
        seen = points - self.centre
        zoom = SOURCE_TO_DETECTOR_MM / (SOURCE_TO_ISOCENTRE_MM + seen @ self.forward)
        flat = np.stack([seen @ self.right, -(seen @ self.up)], axis=1) * zoom[:, None]
        return (flat - self.middle) * self.pixels_per_mm + self.offset, zoom * self.pixels_per_mm


def aim(
    view: View, points: Float[np.ndarray, "point 3"], *, canvas: int, fill: float,
    jitter: Float[np.ndarray, " 2"],
) -> Camera:  # fmt: skip
    """Return the camera that shows `points` (in millimetres) in the middle of a square canvas.

    The longer side of the picture covers the share `fill` of the canvas; `jitter` is added to both
    angles, in degrees.
    """
    a, b = np.radians([view.oblique + jitter[0], view.tilt + jitter[1]])
    forward = np.array([np.sin(a) * np.cos(b), np.cos(a) * np.cos(b), np.sin(b)])
    right = np.array([np.cos(a), -np.sin(a), 0.0])
    up = np.array([-np.sin(a) * np.sin(b), -np.cos(a) * np.sin(b), np.cos(b)])
    centre = (points.max(0) + points.min(0)) / 2
    rough = Camera(right, up, forward, centre, np.zeros(2), 1.0, np.zeros(2))
    flat, _ = rough.project(points)
    extent = float((flat.max(0) - flat.min(0)).max())
    return Camera(
        right, up, forward, centre, (flat.max(0) + flat.min(0)) / 2,
        fill * canvas / extent, np.array([0.5, 0.53]) * canvas,
    )  # fmt: skip
