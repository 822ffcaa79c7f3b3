"""The outlines of the things in engravings: areas and strokes in a box of their own.

A box is 1 high with its foot at 0; x runs from -0.5 to 0.5. Areas cover what is behind them and
get the thing's tone; strokes are lines on top.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float

Line = Float[np.ndarray, "_ 2"]
Number = float | int


@dataclass(frozen=True)
class Shape:
    """What a thing is drawn with."""

    areas: tuple[Line, ...]
    """Closed outlines, those in front last."""
    strokes: tuple[Line, ...] = ()
    """Open lines."""


def _line(*points: tuple[Number, Number]) -> Line:
    return np.array(points, dtype=np.float64)


def _box(left: Number, right: Number, low: Number, high: Number) -> Line:
    return _line((left, low), (right, low), (right, high), (left, high))


def _round(x: Number, y: Number, width: Number, height: Number, *, bumps: int) -> Line:
    """Return a crown with so many bumps."""
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    radius = 1 + 0.12 * np.abs(np.sin(bumps * turn / 2))
    return np.stack([x + width * radius * np.cos(turn), y + height * radius * np.sin(turn)], 1)


def _sails() -> tuple[Line, ...]:
    """Return the sails of a windmill: a beam and a cloth each."""
    centre, sails = np.array([0.0, 0.74]), []
    for angle in np.deg2rad([25, 115, 205, 295]):
        way = np.array([np.cos(angle), np.sin(angle)])
        side = 0.11 * np.array([-np.sin(angle), np.cos(angle)])
        low, high = centre + 0.16 * way, centre + 0.46 * way
        sails += [np.stack([centre, high]), np.stack([low, low + side, high + side, high])]
    return tuple(sails)


SHAPES: Final[dict[str, Shape]] = {
    "house": Shape(
        (
            _box(-0.5, 0.5, 0, 0.6),
            _line((-0.58, 0.6), (0.58, 0.6), (0.3, 1), (-0.3, 1)),
            _box(-0.1, 0.12, 0, 0.36),
        )
    ),
    "tower": Shape(
        (
            _box(-0.22, 0.22, 0, 0.82),
            _line(
                *((-0.28, 0.82), (0.28, 0.82), (0.28, 1.0), (0.16, 1.0), (0.16, 0.92)),
                *((0.05, 0.92), (0.05, 1.0), (-0.05, 1.0), (-0.05, 0.92)),
                *((-0.16, 0.92), (-0.16, 1.0), (-0.28, 1.0)),
            ),
        ),
        (_line((0, 0.45), (0, 0.6)),),
    ),
    "church": Shape(
        (
            _box(-0.1, 0.5, 0, 0.42),
            _line((-0.1, 0.42), (0.5, 0.42), (0.42, 0.6), (-0.1, 0.6)),
            _box(-0.38, -0.1, 0, 0.6),
            _line((-0.42, 0.6), (-0.06, 0.6), (-0.24, 0.9)),
        ),
        (_line((-0.24, 0.9), (-0.24, 1.06)), _line((-0.31, 1.0), (-0.17, 1.0))),
    ),
    "fir": Shape(
        (
            _box(-0.06, 0.06, 0, 0.16),
            _line((-0.42, 0.12), (0.42, 0.12), (0, 0.55)),
            _line((-0.34, 0.36), (0.34, 0.36), (0, 0.78)),
            _line((-0.25, 0.6), (0.25, 0.6), (0, 1.0)),
        )
    ),
    "oak": Shape(
        (
            _line((-0.12, 0), (0.12, 0), (0.07, 0.4), (-0.07, 0.4)),
            _round(0, 0.66, 0.4, 0.3, bumps=9),
        )
    ),
    "windmill": Shape(
        (_line((-0.26, 0), (0.26, 0), (0.15, 0.74), (0, 0.86), (-0.15, 0.74)),), _sails()
    ),
    "rock": Shape(
        (
            _line(
                *((-0.62, 0), (0.62, 0), (0.5, 0.3), (0.3, 0.42), (0.2, 0.7), (0, 0.78)),
                *((-0.16, 0.6), (-0.26, 0.34), (-0.52, 0.26)),
            ),
        ),
        (_line((0, 0.78), (0.06, 0.5), (0, 0.3)),),
    ),
    "boat": Shape(
        (
            _line((-0.4, 0.02), (0.4, 0.02), (0.6, 0.26), (-0.6, 0.26)),
            _line((0.04, 0.32), (0.46, 0.36), (0.04, 1.0)),
        ),
        (_line((0, 0.26), (0, 1.06)), _line((-0.36, 0.34), (0, 0.9))),
    ),
}
"""The shape of each kind of thing."""


def placed(
    lines: Sequence[Line], *, x: float, foot: float, height: float, mirrored: bool
) -> list[Line]:
    """Return lines of a box on the page, where x and y run from 0 to 1, y downwards.

    The thing stands on ``foot`` with its middle at ``x``; ``mirrored`` swaps left and right.
    """
    way = np.array([-height if mirrored else height, -height])
    return [line * way + np.array([x, foot]) for line in lines]
