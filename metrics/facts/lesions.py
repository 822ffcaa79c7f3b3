"""The lesions of one report and what it rules out, ready to be compared with another's."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cinelex.metrics.facts.fact import CORONARY, STENOSIS, Fact
from cinelex.metrics.facts.parse import Reading
from cinelex.metrics.facts.segments import vessel_of

TOLERANCE: Final = 10.0
"""Points by which a stated stenosis may miss and still be right."""


@dataclass(frozen=True)
class Lesions:
    """What a report says about stenoses and about everything else, one entry per place."""

    positive: Mapping[str, Fact]
    """The worst lesion of each segment, or of a vessel where the segment is not said.

    A hedged lesion counts like any other; a lesion without a place is left out.
    """
    denied: Mapping[str, float]
    """The largest stenosis in percent that the report leaves possible, by segment or vessel."""
    numbers: Counter[float]
    """Percentages of all lesions that are single numbers; an occlusion is 100."""
    others: frozenset[tuple[str, str, float, float]]
    """Facts that are no stenosis and not denied: segment, attribute, low, high."""

    def denies(self, place: str, fact: Fact) -> bool:
        """Tell whether this report rules out a lesion that another one names."""
        if place in self.positive:
            return False
        names: set[str | None] = {place, vessel_of(place)}
        left_open = [percent for name, percent in self.denied.items() if name in names]
        return bool(left_open) and min(left_open) < fact.low

    def names(self, place: str) -> bool:
        """Tell whether a lesion here agrees with one of this report in place.

        A lesion of a whole vessel agrees with one of any of its segments, and the reverse.
        """
        if place in self.positive:
            return True
        vessel = vessel_of(place)
        if place == vessel:
            return any(vessel_of(own) == vessel for own in self.positive)
        return vessel in self.positive

    @property
    def vessels(self) -> set[str]:
        """The vessels that carry a lesion."""
        return {vessel for vessel in map(vessel_of, self.positive) if vessel is not None}

    def at_least(self, percent: int) -> set[str]:
        """Return the places whose lesion is said to reach this, even at the low end."""
        return {place for place, fact in self.positive.items() if fact.low >= percent}


def lesions_of(reading: Reading) -> Lesions:
    """Sort the facts of a report; of several lesions in one segment the worst stays."""
    positive: dict[str, Fact] = {}
    denied: dict[str, float] = {}
    numbers: Counter[float] = Counter()
    others = set()
    for fact in reading.facts:
        if fact.attribute != STENOSIS:
            if not fact.negated:
                others.add((fact.segment, fact.attribute, fact.low, fact.high))
        elif fact.negated:
            denied[fact.segment] = min(fact.high, denied.get(fact.segment, fact.high))
        else:
            if fact.low == fact.high:
                numbers[fact.low] += 1
            if fact.segment != CORONARY:
                positive[fact.segment] = _worse(fact, positive.get(fact.segment, fact))
    return Lesions(positive, denied, numbers, frozenset(others))


def within_tolerance(candidate: Fact, reference: Fact) -> bool:
    """Tell whether the candidate's whole interval lies within the reference's, widened by 10.

    A vague candidate ("severe" for 70 %) is therefore no hit, a close number is.
    """
    return (
        candidate.low >= reference.low - TOLERANCE and candidate.high <= reference.high + TOLERANCE
    )


def _worse(one: Fact, other: Fact) -> Fact:
    return one if one.middle >= other.middle else other
