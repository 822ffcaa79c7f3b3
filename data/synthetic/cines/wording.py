"""The words that reports of synthetic studies are made of, and how they are drawn."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

SEGMENT_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "left_main": ("left main", "LM"),
    "proximal_lad": ("proximal LAD", "prox LAD"),
    "mid_lad": ("mid LAD", "mid-LAD"),
    "distal_lad": ("distal LAD", "distal left anterior descending"),
    "d1": ("first diagonal", "D1"),
    "d2": ("second diagonal", "D2"),
    "proximal_lcx": ("proximal circumflex", "proximal LCX"),
    "distal_lcx": ("distal circumflex", "distal LCX"),
    "om1": ("first obtuse marginal", "OM1"),
    "om2": ("second obtuse marginal", "OM2"),
    "proximal_rca": ("proximal RCA", "prox RCA"),
    "mid_rca": ("mid RCA", "mid-RCA"),
    "distal_rca": ("distal RCA", "distal right coronary artery"),
    "pda": ("PDA", "posterior descending artery"),
    "plv": ("posterolateral branch", "PLV"),
}
"""Names of each segment, the usual one first."""

VESSEL_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "left_main": ("left main", "LM"),
    "lad": ("LAD", "left anterior descending"),
    "lcx": ("circumflex", "LCX"),
    "rca": ("RCA", "right coronary artery"),
}
"""Names of each vessel, the usual one first."""

PERCENT_FORMS: Final = ("{}%", "{} %", "~{}%", "{} percent")


def severity_of(percent: int) -> str:
    """Return the usual word for a diameter stenosis in percent."""
    if percent >= 70:
        return "severe"
    if percent >= 50:
        return "moderate"
    return "mild" if percent >= 25 else "minimal"


def article(percent: int) -> str:
    """Return the article of the spoken number: an eight, an eleven, an eighteen, an eighty-."""
    return "an" if percent in (8, 11, 18) or 80 <= percent < 90 else "a"


def draw(choices: Sequence[str], generator: np.random.Generator) -> str:
    """Draw one, the k-th (from 1) in proportion to 1/k."""
    weights = 1.0 / np.arange(1, len(choices) + 1)
    return choices[int(generator.choice(len(choices), p=weights / weights.sum()))]
