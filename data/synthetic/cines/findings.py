"""What is true of a synthetic study: its lesions and the few other things a reader can see."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import numpy as np

Dominance = Literal["right", "left"]

VESSELS: Final[Mapping[str, tuple[str, ...]]] = {
    "left_main": ("left_main",),
    "lad": ("proximal_lad", "mid_lad", "distal_lad", "d1", "d2"),
    "lcx": ("proximal_lcx", "distal_lcx", "om1", "om2"),
    "rca": ("proximal_rca", "mid_rca", "distal_rca", "pda", "plv"),
}
"""Segments of each vessel, as nomenclature has it: PDA and PLV count as RCA on either dominance."""

SEGMENTS: Final = tuple(segment for segments in VESSELS.values() for segment in segments)
"""The segments that can carry a lesion, from the left main outwards."""

PERCENTS: Final = (30, 40, 50, 60, 70, 80, 90, 100)
"""The narrowings that are drawn, in percent of the diameter; 100 is an occlusion."""

MAX_LESIONS: Final = 5

SEGMENT_WEIGHTS: Final[Mapping[str, float]] = {
    "left_main": 0.6,
    "proximal_lad": 1.3,
    "mid_lad": 1.3,
    "proximal_rca": 1.2,
    "mid_rca": 1.2,
}
"""How often a segment is diseased, against 1 for the segments that are not named."""

PERCENT_WEIGHTS: Final = (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5)
"""How often each of `PERCENTS` is drawn, relative to one another."""


@dataclass(frozen=True)
class Findings:
    """The truth about one study, from which both its videos and its report are made.

    Raises:
        ValueError: a segment, percentage, dominance or flow grade that does not exist.
    """

    lesions: Mapping[str, int]
    """Diameter stenosis in percent, 1 to 100, by segment; segments not named are healthy."""
    dominance: Dominance
    """The artery that the posterior descending artery comes from."""
    flow: int
    """TIMI flow grade of the study: 3 is normal, 2 is slow filling."""
    tortuous: bool
    calcified: bool
    sternal_wires: bool
    pacemaker: bool

    def __post_init__(self) -> None:
        unknown = sorted(set(self.lesions) - set(SEGMENTS))
        if unknown:
            raise ValueError(f"unknown segments {unknown}; there are {', '.join(SEGMENTS)}")
        wrong = sorted(percent for percent in self.lesions.values() if not 1 <= percent <= 100)
        if wrong:
            raise ValueError(f"stenoses must lie in 1 to 100 percent, found {wrong}")
        if self.dominance not in get_args(Dominance):
            raise ValueError(f"dominance must be right or left, found {self.dominance!r}")
        if self.flow not in (2, 3):
            raise ValueError(f"flow must be TIMI 2 or 3, found {self.flow}")

    def to_json(self) -> dict[str, Any]:
        """Return plain values that JSON can hold, lesions in the order of `SEGMENTS`."""
        record = dataclasses.asdict(self)
        record["lesions"] = {name: self.lesions[name] for name in SEGMENTS if name in self.lesions}
        return record


def draw_findings(generator: np.random.Generator, *, lesion_rate: float = 2.2) -> Findings:
    """Draw one study; `lesion_rate` is the mean of the Poisson number of lesions, cut at five.

    At the default a ninth of the studies have no lesion. The left main is never occluded: no left
    tree would be left to see.

    Raises:
        ValueError: `lesion_rate` is negative.
    """
    if lesion_rate < 0:
        raise ValueError(f"lesion_rate must not be negative, found {lesion_rate}")
    count = min(int(generator.poisson(lesion_rate)), MAX_LESIONS)
    weights = np.array([SEGMENT_WEIGHTS.get(name, 1.0) for name in SEGMENTS])
    places = generator.choice(len(SEGMENTS), size=count, replace=False, p=weights / weights.sum())
    odds = np.array(PERCENT_WEIGHTS) / sum(PERCENT_WEIGHTS)
    percents = generator.choice(PERCENTS, size=count, p=odds)
    drawn = {SEGMENTS[place]: int(percent) for place, percent in zip(places, percents, strict=True)}
    if drawn.get("left_main") == 100:
        drawn["left_main"] = 90
    left, slow, tortuous, calcified, wires, pacemaker = generator.random(6)
    return Findings(
        lesions={name: drawn[name] for name in SEGMENTS if name in drawn},
        dominance="left" if left < 0.2 else "right",
        flow=2 if slow < 0.2 else 3,
        tortuous=bool(tortuous < 0.3),
        calcified=bool(calcified < 0.35),
        sternal_wires=bool(wires < 0.2),
        pacemaker=bool(pacemaker < 0.15),
    )
