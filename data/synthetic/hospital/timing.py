"""When the frames of a cine were taken, and how a header says so."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

import numpy as np
from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

Source = Literal[
    "FrameTime", "FrameTimeVector", "CineRate", "RecommendedDisplayFrameRate", "FunctionalGroups"
]
SOURCES: Final[tuple[Source | None, ...]] = (
    "FrameTime", "FrameTimeVector", "CineRate", "RecommendedDisplayFrameRate", None
)  # fmt: skip
ODDS: Final = (0.5, 0.18, 0.12, 0.08, 0.12)
FRAMES_PER_S: Final = (7.5, 12.5, 15.0, 15.0, 25.0, 30.0)
CONFLICT_RATE: Final = 0.1
"""Share of the headers with a FrameTime whose CineRate says something else."""


@dataclass(frozen=True)
class Timing:
    """The truth about the time of a cine, as far as its header tells."""

    source: Source | None
    steps_ms: tuple[float, ...]
    """From each frame to the next, as the header has them."""
    conflict: bool = False
    """True where another element disagrees."""

    @property
    def times_ms(self) -> list[float] | None:
        """The time of every frame after the first one's; None where the header does not say."""
        if self.source is None:
            return None
        return [0.0, *(round(float(time), 6) for time in np.cumsum(self.steps_ms))]


def draw_timing(frames: int, draw: np.random.Generator, *, enhanced: bool) -> Timing:
    """Draw how fast a cine was taken and which element says it."""
    rate = FRAMES_PER_S[int(draw.integers(len(FRAMES_PER_S)))]
    source = SOURCES[int(draw.choice(len(SOURCES), p=ODDS))]
    if enhanced:
        source = "FunctionalGroups"
    if source in ("CineRate", "RecommendedDisplayFrameRate"):
        whole = max(1, round(rate))
        return Timing(source, (1000 / whole,) * (frames - 1))
    step = round(1000 / rate, 3 if enhanced else 4)
    steps = np.full(frames - 1, step)
    if source == "FrameTimeVector" or (enhanced and draw.random() < 0.5):
        steps = np.round(step * draw.uniform(0.8, 1.3, size=frames - 1), 3)
    conflict = source == "FrameTime" and bool(draw.random() < CONFLICT_RATE)
    return Timing(source, tuple(float(value) for value in steps), conflict)


def tell_time(dataset: Dataset, timing: Timing, when: datetime) -> None:
    """Put into a header what is known of the time of its frames."""
    match timing.source:
        case "FrameTime":
            dataset.FrameTime = f"{timing.steps_ms[0]:.4f}"
            dataset.FrameIncrementPointer = Tag("FrameTime")
            if timing.conflict:
                dataset.CineRate = str(round(1000 / timing.steps_ms[0]) + 7)
        case "FrameTimeVector":
            dataset.FrameTimeVector = ["0", *(f"{step:.3f}" for step in timing.steps_ms)]
            dataset.FrameIncrementPointer = Tag("FrameTimeVector")
        case "CineRate":
            dataset.CineRate = str(round(1000 / timing.steps_ms[0]))
        case "RecommendedDisplayFrameRate":
            dataset.RecommendedDisplayFrameRate = str(round(1000 / timing.steps_ms[0]))
        case "FunctionalGroups":
            dataset.PerFrameFunctionalGroupsSequence = _frame_groups(timing, when)


def _frame_groups(timing: Timing, when: datetime) -> Sequence:
    """Return one item a frame, with its time and its place in time."""
    items = []
    for number, time in enumerate(timing.times_ms or []):
        content = Dataset()
        moment = when + timedelta(milliseconds=time)
        content.FrameReferenceDateTime = moment.strftime("%Y%m%d%H%M%S.%f")
        content.FrameAcquisitionDateTime = content.FrameReferenceDateTime
        content.TemporalPositionIndex = number + 1
        item = Dataset()
        item.FrameContentSequence = Sequence([content])
        items.append(item)
    return Sequence(items)
