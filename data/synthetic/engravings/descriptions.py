"""Descriptions of engravings: short, varied, and so plain that the scene can be read back."""

from typing import Final

import numpy as np

from cinelex.data.synthetic.engravings.scene import Scene, Thing, one_of

WHERE: Final = {"left": "on the left", "middle": "in the middle", "right": "on the right"}
OF_THINGS: Final = (
    "A {size} {kind} stands {where}, its sides {tone}.",
    "{Where} stands a {size} {kind}, {tone}.",
    "{Where} there is a {size} {kind} with {tone} sides.",
    "We see a {size}, {tone} {kind} {where}.",
)
OF_SKIES: Final = {
    "empty": ("The sky is empty.", "There is nothing in the sky."),
    "ruled": ("The sky is filled with even lines.", "Even lines darken the sky."),
    "sun": ("The sun shines above.", "Above, the sun spreads its rays."),
    "moon": ("A crescent moon hangs above.", "Above hangs the moon."),
    "clouds": ("Clouds drift above.", "Above, there are clouds."),
}
OF_GROUNDS: Final = {
    "water": ("Water lies below.", "Below, there is water."),
    "grass": ("Grass grows below.", "Below, there is grass."),
}


def describe(scene: Scene, draw: np.random.Generator) -> str:
    """Return a description; the order of the things and the turns of phrase are drawn."""
    things = [scene.things[place] for place in draw.permutation(len(scene.things))]
    sentences = [
        *(_thing(thing, one_of(draw, OF_THINGS)) for thing in things),
        one_of(draw, OF_SKIES[scene.sky]),
        one_of(draw, OF_GROUNDS[scene.ground]),
    ]
    return " ".join(sentences)


def _thing(thing: Thing, phrase: str) -> str:
    where = WHERE[thing.place]
    words = {"size": thing.size, "kind": thing.kind, "tone": thing.tone, "where": where}
    return phrase.format(**words, Where=where[0].upper() + where[1:])
