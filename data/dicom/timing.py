"""When each frame was taken, from what the header states and from nothing else."""

from collections.abc import Callable
from datetime import datetime
from itertools import accumulate, pairwise
from typing import Final

from pydicom.dataset import Dataset
from pydicom.valuerep import DT

from cinelex.data.dicom.errors import BROKEN
from cinelex.data.dicom.values import functional_groups, number, numbers, value

Times = tuple[float, ...]
Source = Callable[[Dataset, int], Times | None]
FASTEST_MS: Final = 0.2
"""A frame below is a mistaken unit: no machine makes 5,000 pictures a second for a display."""
SLOWEST_MS: Final = 20_000.0
MAX_DISAGREEMENT: Final = 0.02
"""Of the rate; below one frame a second rates never disagree, for CineRate is a whole number."""
VECTOR: Final = 0x00181065


def frame_times(dataset: Dataset, frames: int) -> tuple[Times | None, str | None, bool]:
    """Return the time of each frame in ms from the first, what says so, and whether others differ.

    The order is that of ``SOURCES``, but FrameTimeVector comes first where FrameIncrementPointer
    names it. What is zero, negative, of the wrong length or of a mistaken unit says nothing.
    """
    order = list(SOURCES)
    if VECTOR in [int(one) for one in numbers(dataset, "FrameIncrementPointer")]:
        order.sort(key=lambda name: name != "FrameTimeVector")
    found = {name: times for name in order if (times := SOURCES[name](dataset, frames))}
    if not found:
        return None, None, False
    source, times = next(iter(found.items()))
    conflict = any(_differ(times, other) for other in found.values())
    return times, source, conflict


def _differ(ours: Times, theirs: Times) -> bool:
    mine, other = ((len(times) - 1) * 1000 / times[-1] for times in (ours, theirs))
    return abs(mine - other) >= max(1.0, MAX_DISAGREEMENT * mine)


def _even(step_ms: float | None, frames: int) -> Times | None:
    """Return times at equal steps."""
    if step_ms is None or not FASTEST_MS <= step_ms <= SLOWEST_MS:
        return None
    return tuple(place * step_ms for place in range(frames))


def _frame_time(dataset: Dataset, frames: int) -> Times | None:
    return _even(number(dataset, "FrameTime"), frames)


def _vector(dataset: Dataset, frames: int) -> Times | None:
    """Return the sums of FrameTimeVector: what passed between each frame and the one before it.

    Its first value belongs to no pair (the standard says 0) and counts nothing; a vector that
    leaves it out is one shorter.
    """
    steps = numbers(dataset, "FrameTimeVector")
    if len(steps) == frames:
        steps = steps[1:]
    if len(steps) != frames - 1 or not all(FASTEST_MS <= step <= SLOWEST_MS for step in steps):
        return None
    return tuple(accumulate(steps, initial=0.0))


def _rate(keyword: str) -> Source:
    def times(dataset: Dataset, frames: int) -> Times | None:
        rate = number(dataset, keyword)
        return _even(1000 / rate if rate else None, frames)

    return times


def _groups(dataset: Dataset, frames: int) -> Times | None:
    """Return the times at which the functional groups say that the frames were acquired."""
    contents = list(functional_groups(dataset, "FrameContentSequence"))
    for keyword in ("FrameReferenceDateTime", "FrameAcquisitionDateTime"):
        moments = [_moment(content, keyword) for content in contents]
        known = [moment for moment in moments if moment is not None]
        if len(known) == frames and all(one < two for one, two in pairwise(known)):
            return tuple((moment - known[0]).total_seconds() * 1000 for moment in known)
    return None


def _moment(content: Dataset, keyword: str) -> datetime | None:
    try:
        found = value(content, keyword)
        return None if found is None else DT(str(found))
    except BROKEN:
        return None


SOURCES: Final[dict[str, Source]] = {
    "FrameTime": _frame_time,
    "FrameTimeVector": _vector,
    "CineRate": _rate("CineRate"),
    "RecommendedDisplayFrameRate": _rate("RecommendedDisplayFrameRate"),
    "FunctionalGroups": _groups,
}
"""In the order in which they are believed."""
