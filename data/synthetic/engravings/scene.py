"""What is to be seen in an engraving: things with their places, sizes and tones, sky and ground."""

from dataclasses import dataclass
from typing import Final

import numpy as np

PLACES: Final = ("left", "middle", "right")
KINDS: Final = ("house", "tower", "church", "fir", "oak", "windmill", "rock", "boat")
SIZES: Final = ("small", "large")
TONES: Final = ("bare", "ruled", "cross-hatched", "stippled")
SKIES: Final = ("empty", "ruled", "sun", "moon", "clouds")
GROUNDS: Final = ("water", "grass")
COUNTS: Final = (0.3, 0.45, 0.25)
"""Shares of the engravings with one, two and three things."""


@dataclass(frozen=True)
class Thing:
    """One thing in an engraving."""

    place: str
    """One of ``PLACES``."""
    kind: str
    """One of ``KINDS``; a boat only where the ground is water."""
    size: str
    """One of ``SIZES``."""
    tone: str
    """One of ``TONES``: how its sides are drawn."""


@dataclass(frozen=True)
class Scene:
    """All that is true of an engraving."""

    things: tuple[Thing, ...]
    """One to three, from left to right, each at a place of its own."""
    sky: str
    """One of ``SKIES``."""
    ground: str
    """One of ``GROUNDS``."""


def draw_scene(draw: np.random.Generator) -> Scene:
    """Draw a scene: every place, size, tone, sky and ground alike likely."""
    ground = one_of(draw, GROUNDS)
    kinds = KINDS if ground == "water" else tuple(kind for kind in KINDS if kind != "boat")
    count = 1 + int(draw.choice(len(COUNTS), p=COUNTS))
    places = sorted(draw.choice(len(PLACES), size=count, replace=False).tolist())
    things = tuple(
        Thing(PLACES[place], one_of(draw, kinds), one_of(draw, SIZES), one_of(draw, TONES))
        for place in places
    )
    return Scene(things, one_of(draw, SKIES), ground)


def one_of(draw: np.random.Generator, words: tuple[str, ...]) -> str:
    """Draw one; all are as likely."""
    return words[int(draw.integers(len(words)))]
