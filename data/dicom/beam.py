"""Sectors and rectangles: the shapes of ultrasound beams, fitted to what moves."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Float
from scipy import ndimage, optimize, stats

from cinelex.data.dicom.motion import Mask
from cinelex.data.dicom.shapes import Box

NARROWEST_RAD: Final = 0.1
"""Between the outermost rays of a sector; below, it is a rectangle."""
MAX_POINTS: Final = 150


@dataclass(frozen=True)
class Beam:
    """A fan of rays between two arcs, cut by a box; a rectangle where there are no rays."""

    box: Box
    row: float = 0.0
    """Of the point where the rays meet, in pixels from the upper edge of the picture."""
    column: float = 0.0
    left: float | None = None
    """Radians from straight down to the leftmost ray; None: no rays, the box alone."""
    right: float = 0.0
    inner: float = 0.0
    """Radius of the arc near the probe."""
    outer: float = math.inf

    def scaled(self, step: int) -> "Beam":
        """Return the beam on a picture of which every ``step``-th pixel was looked at."""
        shift = step // 2 + 0.5 - step / 2  # where the first one looked at stands
        top, left, bottom, right = (step * edge for edge in self.box)
        return replace(
            self,
            box=(top, left, bottom, right),
            row=step * self.row + shift,
            column=step * self.column + shift,
            inner=step * self.inner,
            outer=step * self.outer,
        )

    def outside(
        self, y: Float[np.ndarray, "*place"], x: Float[np.ndarray, "*place"]
    ) -> Float[np.ndarray, "*place"]:
        """Return how far outside places are, in pixels; negative inside."""
        top, left, bottom, right = self.box
        far = np.maximum(np.maximum(top - y, y - bottom), np.maximum(left - x, x - right))
        if self.left is None:
            return far
        down, aside = y - self.row, x - self.column
        radius = np.hypot(down, aside)
        far = np.maximum(far, np.maximum(self.inner - radius, radius - self.outer))
        leftmost = math.sin(self.left) * down - math.cos(self.left) * aside
        rightmost = math.cos(self.right) * aside - math.sin(self.right) * down
        return np.maximum(far, np.maximum(leftmost, rightmost))

    def mask(self, shape: tuple[int, int]) -> Mask:
        """Return True for the pixels of a picture whose centres lie inside."""
        y, x = np.meshgrid(np.arange(shape[0]) + 0.5, np.arange(shape[1]) + 0.5, indexing="ij")
        return self.outside(y, x) <= 0


def overlap(one: Mask, other: Mask) -> float:
    """Return intersection over union; 0 where both are empty."""
    union = int((one | other).sum())
    return int((one & other).sum()) / union if union else 0.0


def fit_beam(seen: Mask) -> tuple[Beam, float]:
    """Return the sector or rectangle that overlaps most with what is seen, and by how much."""
    candidates = [Beam(robust_box(seen)), *_sectors(seen)]
    best = max(candidates, key=lambda beam: overlap(beam.mask(_shape(seen)), seen))
    if best.left is not None:
        best = _refined(best, seen)
    return best, overlap(best.mask(_shape(seen)), seen)


def _shape(mask: Mask) -> tuple[int, int]:
    return mask.shape[0], mask.shape[1]


def robust_box(seen: Mask) -> Box:
    """Return the box whose edges are the medians of where rows and columns begin and end."""
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    left, right = _ends(seen[rows])
    top, bottom = _ends(seen[:, columns].T)
    edges = (top, left, bottom, right)
    first, second, third, fourth = (round(float(np.median(edge))) for edge in edges)
    return first, second, third, fourth


def _ends(lines: Mask) -> tuple[Float[np.ndarray, " line"], Float[np.ndarray, " line"]]:
    """Return where the first pixel of each line begins and where its last one ends."""
    first = lines.argmax(1).astype(np.float64)
    last = lines.shape[1] - lines[:, ::-1].argmax(1).astype(np.float64)
    return first, last


def _sectors(seen: Mask) -> Iterator[Beam]:
    """Yield sectors through the sides of what is seen, with and without arcs at their ends."""
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    if len(rows) < 8 or len(columns) < 8:
        return
    left, right = _ends(seen[rows])
    sides = _side(rows, left), _side(rows, -right)
    (left_slope, left_start), (right_slope, right_start) = sides[0], (-sides[1][0], -sides[1][1])
    opening = math.atan(right_slope) - math.atan(left_slope)
    if opening < NARROWEST_RAD:
        return
    row = (left_start - right_start) / (right_slope - left_slope)
    column = left_start + left_slope * row
    top, bottom = _ends(seen[:, columns].T)
    inner, outer = (np.hypot(end - row, columns + 0.5 - column) for end in (top, bottom))
    box = (int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
    axis = np.abs(columns + 0.5 - column) / len(columns)
    fan = Beam(box, row, column, math.atan(left_slope), math.atan(right_slope))
    for near in (0.0, _middle(inner[axis < 0.06])):
        for far in (math.inf, _middle(outer[axis < 0.3])):
            yield replace(fan, inner=near, outer=far)


def _middle(radii: Float[np.ndarray, " column"]) -> float:
    return float(np.median(radii)) if len(radii) else 0.0


def _side(rows: np.ndarray, edge: np.ndarray) -> tuple[float, float]:
    """Return slope and start of the line along the side, from the top to where it is widest."""
    widest = int(np.flatnonzero(edge <= edge.min() + 1)[0])
    stop = max(widest, 4)
    kept = np.unique(np.linspace(0, stop, min(stop + 1, MAX_POINTS)).astype(int))
    slope, start, _, _ = stats.theilslopes(edge[kept], rows[kept] + 0.5)
    return float(slope), float(start)


def _refined(beam: Beam, seen: Mask) -> Beam:
    """Return the sector whose edges lie nearest to those of what is seen; bumps count little."""
    rim = seen & ~ndimage.binary_erosion(seen)
    y, x = (places + 0.5 for places in np.nonzero(rim))

    def gaps(values: np.ndarray) -> np.ndarray:
        # pixels of the rim are inside by half a pixel
        return _sector(beam, values).outside(y, x) + 0.5

    outer = 0.0 if math.isinf(beam.outer) else beam.outer
    start = [beam.row, beam.column, beam.left, beam.right, beam.inner, outer]
    found = optimize.least_squares(gaps, start, loss="cauchy", x_scale=[1, 1, 0.01, 0.01, 1, 1])
    better = _sector(beam, found.x)
    gain = overlap(better.mask(_shape(seen)), seen) - overlap(beam.mask(_shape(seen)), seen)
    return better if gain > 0 else beam


def _sector(beam: Beam, values: np.ndarray) -> Beam:
    """Return a beam with other numbers; an end without an arc stays so."""
    row, column, left, right, inner, outer = (float(value) for value in values)
    far = math.inf if math.isinf(beam.outer) else outer
    near = inner if beam.inner else 0.0
    return replace(beam, row=row, column=column, left=left, right=right, inner=near, outer=far)
