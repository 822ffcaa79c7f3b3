"""From a scene to the pixels of an engraving: outlines, and tones made of lines and dots."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from cinelex.data.synthetic.engravings.scene import PLACES, Scene, Thing
from cinelex.data.synthetic.engravings.shapes import SHAPES, Line, placed

PAPER: Final = 246
INK: Final = 24
FINER: Final = 3
"""Pixels of the plate that one pixel of the picture is the mean of, along either side."""
STROKE: Final = 0.011
"""Width of an outline, as a share of the side."""
SPACING: Final = 0.042
"""Distance between two lines, or two dots, of a tone, as a share of the side."""
HEIGHTS: Final = {"small": 0.26, "large": 0.42}
CENTRES: Final = dict(zip(PLACES, (0.2, 0.5, 0.8), strict=True))
HORIZON: Final = 0.72


def draw_engraving(
    scene: Scene, draw: np.random.Generator, *, size: int
) -> UInt8[np.ndarray, "row column"]:
    """Return an engraving of a scene, in gray, ``size`` pixels high and wide.

    What no description tells is drawn: where exactly, how high, how steep the lines.
    """
    plate = _Plate(size * FINER, draw)
    horizon = HORIZON + draw.uniform(-0.03, 0.03)
    plate.sky(scene.sky)
    plate.stroke(np.array([[0, horizon], [1, horizon]]), width=STROKE / 2)
    plate.ground(scene.ground, horizon)
    for thing in scene.things:
        plate.thing(thing, horizon)
    picture = plate.image.resize((size, size), Image.Resampling.BOX)
    return np.asarray(picture)


class _Plate:
    """What is drawn on; coordinates run from 0 to 1, y downwards."""

    def __init__(self, side: int, draw: np.random.Generator) -> None:
        self.side, self.draw = side, draw
        self.image = Image.new("L", (side, side), PAPER)
        self.pen = ImageDraw.Draw(self.image)

    def stroke(self, line: Line, *, width: float = STROKE) -> None:
        """Draw an open line."""
        self.pen.line(self._pixels(line), fill=INK, width=max(1, round(width * self.side)))

    def thing(self, thing: Thing, horizon: float) -> None:
        """Draw a thing over what is there."""
        shape, draw = SHAPES[thing.kind], self.draw
        where = {
            "x": CENTRES[thing.place] + draw.uniform(-0.03, 0.03),
            "foot": horizon + draw.uniform(0.02, 0.07),
            "height": HEIGHTS[thing.size] * draw.uniform(0.93, 1.07),
        }
        mirrored = bool(draw.random() < 0.5)
        tone = self._tone(thing.tone)
        for area in placed(shape.areas, **where, mirrored=mirrored):
            inside = Image.new("1", self.image.size)
            ImageDraw.Draw(inside).polygon(self._pixels(area), fill=1)
            self.image.paste(tone, mask=inside)
            self.stroke(np.concatenate([area, area[:2]]))
        for line in placed(shape.strokes, **where, mirrored=mirrored):
            self.stroke(line, width=STROKE * 0.8)

    def sky(self, kind: str) -> None:
        """Draw what is above; an empty sky takes nothing."""
        x, y = self.draw.uniform(0.3, 0.7), self.draw.uniform(0.12, 0.18)
        if kind == "ruled":
            for height in np.arange(0.03, 0.45, SPACING):
                self.stroke(np.array([[0, height], [1, height]]), width=STROKE / 2)
        elif kind == "sun":
            self._sun(x, y)
        elif kind == "moon":
            self.pen.polygon(self._pixels(_circle(x, y, 0.085)), fill=INK)
            self.pen.polygon(self._pixels(_circle(x + 0.045, y, 0.07)), fill=PAPER)
        elif kind == "clouds":
            for shift in (-0.22, 0.18):
                self._cloud(x + shift, y + 0.02)

    def _sun(self, x: float, y: float) -> None:
        self.stroke(_circle(x, y, 0.065))
        for angle in np.arange(0, 2 * np.pi, np.pi / 6):
            way = np.array([np.cos(angle), np.sin(angle)])
            self.stroke(np.array([x, y]) + np.outer([0.085, 0.125], way), width=STROKE * 0.8)

    def _cloud(self, x: float, y: float) -> None:
        for bump in (-0.075, 0.0, 0.075):
            self.stroke(_circle(x + bump, y, 0.05)[24:])
        self.stroke(np.array([[x - 0.12, y], [x + 0.12, y]]))

    def ground(self, kind: str, horizon: float) -> None:
        """Draw what is below: waves, or blades of grass."""
        for y in np.arange(horizon + 0.05, 0.99, 0.055):
            for x in np.arange(self.draw.uniform(-0.1, 0), 1.0, 0.14):
                if kind == "water":
                    turn = np.linspace(0, 2 * np.pi, 12)
                    wave = [x + turn / (2 * np.pi) * 0.12, y + 0.008 * np.sin(turn)]
                    self.stroke(np.stack(wave, 1), width=STROKE / 2)
                else:
                    for lean in (-0.014, 0.0, 0.014):
                        blade = np.array([[x + lean / 2, y], [x + 2 * lean, y - 0.032]])
                        self.stroke(blade, width=STROKE / 2)

    def _tone(self, tone: str) -> Image.Image:
        """Return a whole plate of one tone."""
        image = Image.new("L", self.image.size, PAPER)
        pen, angle = ImageDraw.Draw(image), self.draw.uniform(35, 55)
        if tone == "stippled":
            dot = STROKE * 0.75 * self.side
            for row, y in enumerate(np.arange(0, 1, SPACING * 0.8)):
                for x in np.arange(SPACING * 0.4 * (row % 2), 1, SPACING * 0.8):
                    across, down = float(x) * self.side, float(y) * self.side
                    pen.ellipse((across - dot, down - dot, across + dot, down + dot), fill=INK)
            return image
        angles = {"bare": (), "ruled": (angle,), "cross-hatched": (angle, angle + 90)}[tone]
        width = max(1, round(STROKE * 0.8 * self.side))
        for degrees in angles:
            for line in _parallels(degrees):
                pen.line(self._pixels(line), fill=INK, width=width)
        return image

    def _pixels(self, line: Line) -> list[tuple[float, float]]:
        return [(x * self.side, y * self.side) for x, y in line.tolist()]


def _circle(x: float, y: float, radius: float) -> Line:
    turn = np.linspace(0, 2 * np.pi, 49)
    return np.stack([x + radius * np.cos(turn), y + radius * np.sin(turn)], axis=1)


def _parallels(degrees: float) -> Sequence[Line]:
    """Return lines at an angle, ``SPACING`` apart, across the whole plate."""
    angle = np.deg2rad(degrees)
    way, side = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    ends = np.outer([-1.0, 1.0], way) + 0.5
    return [ends + offset * side for offset in np.arange(-0.75, 0.75, SPACING)]
