"""Made-up scenes: coloured shapes in a row or a column, their pixels, and five ways to say so."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

COLOURS = {
    "red": (208, 36, 36),
    "green": (40, 160, 60),
    "blue": (44, 76, 210),
    "yellow": (232, 208, 40),
    "purple": (140, 50, 170),
    "orange": (240, 140, 30),
    "cyan": (50, 196, 210),
    "pink": (240, 130, 180),
}
SHAPES = {
    "circle": ("circle", "disc"),
    "square": ("square", "box"),
    "triangle": ("triangle",),
    "cross": ("cross", "plus sign"),
    "ring": ("ring", "hoop"),
    "bar": ("bar", "stripe"),
}
"""What each shape is called."""
SIZES = {"small": ("small", "little"), "large": ("large", "big")}
GROUNDS = {"white": (240, 240, 240), "gray": (128, 128, 128), "black": (16, 16, 16)}
BEFORE = {"row": "left of", "column": "above"}
AFTER = {"row": "right of", "column": "below"}
COUNTS = {2: "two", 3: "three"}
TEMPLATES = 8
CANVAS = 4
"""Pixels drawn for each pixel kept, along rows and columns."""


@dataclass(frozen=True, slots=True)
class Item:
    """One shape of a scene."""

    size: str
    colour: str
    shape: str


@dataclass(frozen=True, slots=True)
class Scene:
    """What is true of an image: two images of equal scenes are false negatives of each other."""

    items: tuple[Item, ...]
    """Two or three, from left to right or from top to bottom."""
    layout: Literal["row", "column"]
    ground: str

    @property
    def label(self) -> str:
        """Return the scene in words that no other scene has."""
        items = ", ".join(f"{item.size} {item.colour} {item.shape}" for item in self.items)
        return f"{self.layout} on {self.ground}: {items}"


def draw_scene(random: np.random.Generator) -> Scene:
    """Draw a scene; all are as likely."""

    def one(names: Iterable[str]) -> str:
        return str(random.choice(list(names)))

    items = tuple(
        Item(one(SIZES), one(COLOURS), one(SHAPES)) for _ in range(int(random.integers(2, 4)))
    )
    layout: Literal["row", "column"] = "row" if random.random() < 0.5 else "column"
    return Scene(items, layout, one(GROUNDS))


def render(
    scene: Scene, *, size: int, random: np.random.Generator
) -> UInt8[np.ndarray, "size size 3"]:
    """Draw a scene with places, tints and noise of its own: no two images are equal."""
    side = size * CANVAS
    image = Image.new("RGB", (side, side), GROUNDS[scene.ground])
    pen = ImageDraw.Draw(image)
    cell = side / len(scene.items)
    for place, item in enumerate(scene.items):
        along = (place + 0.5) * cell + random.uniform(-0.08, 0.08) * cell
        across = side * random.uniform(0.3, 0.7)
        x, y = (along, across) if scene.layout == "row" else (across, along)
        radius = cell * (0.42 if item.size == "large" else 0.24) * random.uniform(0.9, 1.1)
        tint = random.uniform(-24, 24, size=3)
        low, high = np.zeros(3), np.full(3, 255)
        ink = tuple(int(v) for v in np.clip(np.array(COLOURS[item.colour]) + tint, low, high))
        _draw(pen, item.shape, x, y, radius, ink, GROUNDS[scene.ground])
    kept = np.asarray(image.resize((size, size), Image.Resampling.BOX), np.float64)
    noisy = kept + random.normal(0, 6, size=kept.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def _draw(
    pen: ImageDraw.ImageDraw, shape: str, x: float, y: float, radius: float,
    ink: tuple[int, ...], ground: tuple[int, int, int],
) -> None:  # fmt: skip
    def box(across: float, down: float) -> tuple[float, float, float, float]:
        return (x - across, y - down, x + across, y + down)

    if shape in ("circle", "ring"):
        pen.ellipse(box(radius, radius), fill=ink)
        if shape == "ring":
            pen.ellipse(box(0.55 * radius, 0.55 * radius), fill=ground)
    elif shape == "square":
        pen.rectangle(box(0.9 * radius, 0.9 * radius), fill=ink)
    elif shape == "triangle":
        pen.polygon([(x, y - radius), (x - radius, y + radius), (x + radius, y + radius)], fill=ink)
    else:
        pen.rectangle(box(radius, radius / 3), fill=ink)
        if shape == "cross":
            pen.rectangle(box(radius / 3, radius), fill=ink)


def captions_of(scene: Scene, *, count: int, random: np.random.Generator) -> list[str]:
    """Return ``count`` different captions of a scene, in templates and words drawn anew.

    Every caption names all shapes and their order; background and sizes are sometimes left out, as
    people leave things out.
    """
    captions: list[str] = []
    while len(captions) < count:
        templates = random.permutation(TEMPLATES).tolist()
        for template in templates[: count - len(captions)]:
            caption = _caption(scene, template, random)
            if caption not in captions:
                captions.append(caption)
    return captions


def _caption(scene: Scene, template: int, random: np.random.Generator) -> str:
    sized = [f"a {_name(item, random, sized=True)}" for item in scene.items]
    plain = [f"a {_name(item, random, sized=False)}" for item in scene.items]
    before, after = BEFORE[scene.layout], AFTER[scene.layout]
    count, ground = COUNTS[len(scene.items)], f"a {scene.ground} background"
    start, end = ("left", "right") if scene.layout == "row" else ("top", "bottom")
    forms = (
        _chain(sized, before),
        _chain(sized[::-1], after),
        f"{_chain(sized, before)} on {ground}",
        f"{count} shapes on {ground}, from {start} to {end}: {_list(_bare(sized))}",
        f"there is {_chain(plain, before)}",
        f"the picture shows {_list(sized)} in a {scene.layout}",
        f"a {scene.layout} of {count}: {_list(_bare(plain))}, from {start} to {end}",
        f"on {ground}, {_chain(plain[::-1], after)}",
    )
    return forms[template]


def _name(item: Item, random: np.random.Generator, *, sized: bool) -> str:
    size = f"{random.choice(SIZES[item.size])} " if sized else ""
    return f"{size}{item.colour} {random.choice(SHAPES[item.shape])}"


def _bare(names: list[str]) -> list[str]:
    return [name.removeprefix("a ") for name in names]


def _chain(names: list[str], relation: str) -> str:
    """Return every two neighbours and how they stand to each other."""
    return ", and ".join(f"{first} {relation} {second}" for first, second in pairwise(names))


def _list(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
