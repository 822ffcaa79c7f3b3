"""Shapes of ultrasound beams on a picture."""

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from jaxtyping import Bool, Float

Shape = Literal["sector", "convex", "linear"]


@dataclass(frozen=True)
class Beam:
    """A fan of rays, or a rectangle, in pixels."""

    shape: Shape
    middle: float
    """Column of the axis."""
    top: float
    """Row of the highest point."""
    depth: float
    """Rows from the highest point to the lowest."""
    half_angle: float
    """Radians from the axis to the outermost ray; of a linear beam, half its width in pixels."""
    skin: float
    """Radius of the curved probe, in pixels; 0 is a fan from a point."""

    def places(
        self, rows: int, columns: int
    ) -> tuple[Float[np.ndarray, "row column"], Float[np.ndarray, "row column"]]:
        """Return how deep (0 to 1) and how far aside (−1 to 1) each pixel is; outside is beyond."""
        x = np.arange(columns)[None, :] + 0.5 - self.middle
        y = np.arange(rows)[:, None] + 0.5 - self.top
        if self.shape == "linear":
            shape = (rows, columns)
            deep = np.broadcast_to(y / self.depth, shape)
            return deep, np.broadcast_to(x / self.half_angle, shape)
        y = y + self.skin * math.cos(self.half_angle)
        radius = np.hypot(x, y)
        longest = self.depth + self.skin * math.cos(self.half_angle)
        return (radius - self.skin) / (longest - self.skin), np.arctan2(x, y) / self.half_angle

    def mask(self, rows: int, columns: int) -> Bool[np.ndarray, "row column"]:
        """Return True within the beam."""
        deep, aside = self.places(rows, columns)
        return (deep >= 0) & (deep <= 1) & (np.abs(aside) <= 1)


SHAPES: Final[tuple[tuple[Shape, ...], ...]] = (
    ("sector",),
    ("sector", "convex"),
    ("sector", "sector", "linear"),
    ("convex", "linear", "sector"),
)
"""Beams of the probes of each layout."""


def draw_beam(layout: int, rows: int, columns: int, draw: np.random.Generator) -> Beam:
    """Draw the beam of one cine of a machine with a layout; it leaves room for text and an ECG."""
    shapes = SHAPES[layout]
    shape = shapes[int(draw.integers(len(shapes)))]
    top = float(round(rows * draw.uniform(0.15, 0.18)))
    depth = float(round(rows * draw.uniform(0.62, 0.67)))
    middle = columns * draw.uniform(0.47, 0.53)
    if shape == "linear":
        half = float(round(columns * draw.uniform(0.22, 0.28)))
        return Beam(shape, float(round(middle)), top, depth, half, 0.0)
    half_angle = math.radians(draw.uniform(34, 45))
    skin = depth * draw.uniform(0.25, 0.4) if shape == "convex" else 0.0
    return Beam(shape, middle, top, depth, half_angle, skin)
