"""Facts of descriptions of engravings: which thing stands where, how large, in which tone."""

import re
from typing import Final

import numpy as np
from jaxtyping import Float

Fact = tuple[str, ...]

PLACES: Final = ("left", "middle", "right")
KINDS: Final = ("house", "tower", "church", "fir", "oak", "windmill", "rock", "boat")
SIZES: Final = ("small", "large")
TONES: Final = ("bare", "ruled", "cross-hatched", "stippled")
SKIES: Final = {
    "sun": "sun",
    "moon": "moon",
    "clouds": "clouds",
    "lines": "ruled",
    "empty": "empty",
    "nothing": "empty",
}
GROUNDS: Final = ("water", "grass")
LEVELS: Final = ("kind", "tone", "whole", "scene")
"""Facts at four depths; see ``facts_of``."""
VARIANT: Final = "micro-averaged over engravings, facts parsed from text"

_WORD: Final = re.compile(r"[a-z]+(?:-[a-z]+)*")


def facts_of(text: str) -> dict[str, set[Fact]]:
    """Return what a description says, at each of ``LEVELS``.

    ``kind``: a kind of thing at a place; ``tone``: with its tone; ``whole``: with its size too;
    ``scene``: sky and ground. A sentence without a place or a kind says nothing of a thing; of two
    words of one sort in a sentence the first counts.
    """
    found: dict[str, set[Fact]] = {level: set() for level in LEVELS}
    for sentence in text.lower().split("."):
        words = _WORD.findall(sentence)
        place, kind = _first(words, PLACES), _first(words, KINDS)
        tone, size = _first(words, TONES), _first(words, SIZES)
        if place and kind:
            found["kind"].add((place, kind))
            if tone:
                found["tone"].add((place, kind, tone))
            if tone and size:
                found["whole"].add((place, kind, tone, size))
            continue
        if sky := _first(words, tuple(SKIES)):
            found["scene"].add(("sky", SKIES[sky]))
        if ground := _first(words, GROUNDS):
            found["scene"].add(("ground", ground))
    return found


def fact_counts(reference: str, candidate: str) -> Float[np.ndarray, " count"]:
    """Return, level by level, the facts that both state, that the candidate and the reference."""
    true, stated = facts_of(reference), facts_of(candidate)
    return np.array(
        [
            float(number)
            for level in LEVELS
            for number in (len(true[level] & stated[level]), len(stated[level]), len(true[level]))
        ]
    )


def rates(sums: Float[np.ndarray, "*batch count"]) -> dict[str, Float[np.ndarray, "*batch"]]:
    """Return the F1 of each level, 2 both / (candidate + reference); NaN where nobody states any.

    A constant caption, a shuffled one and a drawn one have no fixed value: they stand beside it.
    """
    both, stated, true = (sums[..., index::3] for index in range(3))
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = np.where(stated + true > 0, 2 * both / (stated + true), np.nan)
    return {f"{level}_f1": scores[..., index] for index, level in enumerate(LEVELS)}


def _first(words: list[str], known: tuple[str, ...]) -> str | None:
    return next((word for word in words if word in known), None)
