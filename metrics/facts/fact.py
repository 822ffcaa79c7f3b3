"""One statement of a report, in a form that can be compared."""

from dataclasses import dataclass
from typing import Final

STENOSIS: Final = "stenosis"
DOMINANCE: Final = "dominance"
FLOW: Final = "flow"
CALCIFICATION: Final = "calcification"
TORTUOSITY: Final = "tortuosity"
STERNAL_WIRES: Final = "sternal_wires"
PACEMAKER: Final = "pacemaker"
EJECTION_FRACTION: Final = "ejection_fraction"

STUDY: Final = "study"
"""The segment of a fact about the whole study."""

CORONARY: Final = "coronary"
"""The segment of a lesion that the report does not place."""


@dataclass(frozen=True)
class Fact:
    """What a report says about one attribute of one place, as an interval that holds the value.

    Units: stenosis and ejection fraction in percent (of diameter; of volume), flow in TIMI grades
    0 to 3, and 1 for what is there or 0 for what is not, for the attributes that are only that.
    """

    segment: str
    """A coronary segment or vessel, the side that dominates (right, left, both), or `STUDY`."""
    attribute: str
    low: float
    high: float
    """Both ends belong to the interval; one number has `low` equal to `high`."""
    negated: bool = False
    """The report denies it; the interval is then what the denial leaves open, from 0."""
    uncertain: bool = False
    """The report hedges: possible, suspected, cannot be excluded."""

    @property
    def middle(self) -> float:
        """The one number that stands for the interval."""
        return (self.low + self.high) / 2

    @property
    def percentage(self) -> str:
        """Its interval in words: "70%", or "50-70%"."""
        low = "" if self.low == self.high else f"{self.low:g}-"
        return f"{low}{self.high:g}%"
