"""How much contrast agent every canvas pixel looks through, and when it comes and goes.

A lumen is painted as spheres along its centreline, each giving a pixel at distance d the chord
2·sqrt(r² − d²). Within a branch the longest chord counts (no double counting), across branches
chords add up (vessels that cross are darker where they cross), and at a joint the two branches
blend into one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float, Int

BINS: Final = 1024
"""Steps of the filling code; a pixel's code says which column of the filling table it follows."""
ANTEGRADE: Final = 448
"""Codes 0 to 447: distance from the ostium, as a share of the longest way."""
COLLATERAL: Final = 448
"""Codes 448 to 895: the same behind an occlusion."""
CATHETER: Final = 896
METAL: Final = 897
VEIN: Final = 898

_FINENESS: Final = 8192
"""Steps per pixel of chord; with `BINS` codes a chord below 256 pixels fits 31 bits."""
_THINNEST: Final = 0.7
"""Pixels; thinner tubes are painted this wide, and fainter, so that they do not fall apart."""


@dataclass(frozen=True)
class Tube:
    """A curved tube on the canvas."""

    centre: Float[np.ndarray, "point 2"]
    """Column and row, in canvas pixels."""
    radius: Float[np.ndarray, " point"]
    """In canvas pixels; 0 paints nothing."""
    code: Int[np.ndarray, " point"]
    """Column of the filling table."""
    density: float = 1.0
    """Absorption relative to blood full of contrast agent."""
    parent: int | None = None
    joint: int = 0
    """The parent's point at which the tube leaves it."""


@dataclass(frozen=True)
class Paint:
    """The canvas pixels that some tube covers, one entry per tube and pixel."""

    pixel: Int[np.ndarray, " entry"]
    """Place in the flattened canvas."""
    depth: Float[np.ndarray, " entry"]
    """Chord times density, in canvas pixels."""
    code: Int[np.ndarray, " entry"]


def paint(tubes: Sequence[Tube], *, canvas: int) -> Paint:
    """Return what the tubes cover on a canvas of `canvas` rows and columns."""
    keys = _longest_chords(tubes, canvas)
    depth = (keys >> 10).astype(np.float32) * np.float32(1 / _FINENESS)
    code = keys & (BINS - 1)
    for number, tube in enumerate(tubes):
        if tube.parent is not None:
            _blend_joint(depth, number, tube, tubes[tube.parent])
    flat = depth.reshape(-1)
    entry = np.flatnonzero(flat)
    density = np.array([tube.density for tube in tubes], dtype=np.float32)
    return Paint(
        pixel=entry % (canvas * canvas),
        depth=flat[entry] * density[entry // (canvas * canvas)],
        code=code.reshape(-1)[entry],
    )


def _longest_chords(tubes: Sequence[Tube], canvas: int) -> Int[np.ndarray, "tube row column"]:
    """Return, per tube and pixel, the longest chord (upper bits) with its code (lower ten)."""
    layer = np.concatenate([np.full(len(tube.radius), n) for n, tube in enumerate(tubes)])
    centre = np.concatenate([tube.centre for tube in tubes]).astype(np.float32)
    radius = np.concatenate([tube.radius for tube in tubes]).astype(np.float32)
    code = np.concatenate([tube.code for tube in tubes]).astype(np.int32)
    keys = np.zeros(len(tubes) * canvas * canvas, dtype=np.int32)
    wide = np.maximum(radius, _THINNEST)
    fade = (radius / wide) ** 2 * (2 * _FINENESS)
    reach = np.where(radius > 0.02, np.ceil(wide), 0).astype(np.int64)
    for half in np.unique(reach[reach > 0]):
        chosen = np.flatnonzero(reach == half)
        step = np.arange(-half, half + 1)
        corner = np.rint(centre[chosen]).astype(np.int64)
        column, row = corner[:, :1] + step, corner[:, 1:] + step
        across = (column - centre[chosen, :1]) ** 2
        down = (row - centre[chosen, 1:]) ** 2 - wide[chosen, None] ** 2
        across[(column < 0) | (column >= canvas)] = np.inf
        down[(row < 0) | (row >= canvas)] = np.inf
        square = -(down[:, :, None] + across[:, None, :])
        inside = np.flatnonzero(square > 0)
        point = inside // (len(step) * len(step))
        chord = np.sqrt(square.reshape(-1)[inside]) * fade[chosen][point]
        key = (chord.astype(np.int32) << 10) | code[chosen][point]
        first = layer[chosen, None] * (canvas * canvas) + row * canvas
        place = (first[:, :, None] + column[:, None, :]).reshape(-1)[inside]
        np.maximum.at(keys, place, key)
    return keys.reshape(len(tubes), canvas, canvas)


def _blend_joint(
    depth: Float[np.ndarray, "tube row column"], number: int, tube: Tube, above: Tube
) -> None:
    """Take from the child what its parent already shows around the joint: sum becomes maximum."""
    canvas = depth.shape[1]
    assert tube.parent is not None
    column, row = above.centre[tube.joint]
    size = 2.2 * max(float(above.radius[tube.joint]), _THINNEST)
    low = np.clip(np.array([row, column]) - 2 * size, 0, canvas - 1).astype(np.int64)
    high = np.clip(np.array([row, column]) + 2 * size + 1, 0, canvas).astype(np.int64)
    window = (slice(low[0], high[0]), slice(low[1], high[1]))
    down = np.arange(low[0], high[0])[:, None] - row
    across = np.arange(low[1], high[1])[None, :] - column
    share = np.clip(2 - np.sqrt(down**2 + across**2) / size, 0, 1).astype(np.float32)
    child, parent = depth[(number, *window)], depth[(tube.parent, *window)]
    child -= share * np.minimum(child, parent)


@dataclass(frozen=True)
class Bolus:
    """One injection; times are shares of the cine."""

    start: float
    """When the agent leaves the catheter."""
    slow: bool
    """TIMI 2: the front needs more than half of the cine, and nothing washes out in it."""

    def table(self, frames: int) -> Float[np.ndarray, "frame code"]:
        """Return the filling, 0 to 1, of every code (see `lumen`) in every frame.

        Exactly 0 before the front arrives and, with normal flow, in the last frame.
        """
        time = np.linspace(0, 1, frames)[:, None]
        way = np.linspace(0, 1, ANTEGRADE)[None, :]
        run, rise = (0.6, 0.14) if self.slow else (0.24, 0.08)
        leave, fall = (1.2, 0.2) if self.slow else (0.64, 0.2)
        arrive = self.start + run * way
        full = _smooth((time - arrive) / rise) * _smooth((leave + 0.14 * way + fall - time) / fall)
        late = 0.55 * _smooth((time - arrive - 0.16) / 0.2)
        late = late * _smooth((leave + 0.34 - time) / fall)
        table = np.zeros((frames, BINS))
        table[:, :ANTEGRADE] = full
        table[:, COLLATERAL : COLLATERAL + ANTEGRADE] = late
        table[:, CATHETER] = 0.45 + 0.55 * full[:, 0]
        table[:, METAL] = 1.0
        table[:, VEIN] = _smooth((time[:, 0] - (0.95 if self.slow else 0.7)) / 0.25)
        return table.astype(np.float32)


def _smooth(x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """Return the smooth step from 0 at x = 0 to 1 at x = 1, exactly flat outside."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
