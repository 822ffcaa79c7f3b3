"""Lesions told as real reports tell them, and not plainly: four ways, and not at all.

A parser recovers from each exactly what it states: a hedge is uncertain, an earlier percentage is
none of this study's, and sentences about one lesion are one lesion.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from cinelex.data.synthetic.cines.findings import PERCENTS
from cinelex.data.synthetic.cines.wording import (
    PERCENT_FORMS,
    SEGMENT_NAMES,
    article,
    draw,
    severity_of,
)

Way = Literal["hedged", "unmeasured", "compared", "continued", "left_out"]

WAYS: Final[Mapping[Way, float]] = {
    "compared": 0.3,
    "continued": 0.25,
    "hedged": 0.25,
    "unmeasured": 0.1,
    "left_out": 0.1,
}
"""How often a lesion that is not told plainly is told in each way."""

HEDGED: Final = (
    "Possible {percent} stenosis of the {place}.",
    "Suspected {severity} stenosis ({percent}) in the {place}.",
    "{a} {percent} stenosis of the {place} cannot be excluded.",
    "{place} with probable {percent} stenosis.",
    "The {place} may be narrowed by {percent}.",
    "Questionable {percent} lesion in the {place}.",
)
"""The lesion is there perhaps, and if it is, it narrows so much."""

UNMEASURED: Final = (
    "A lesion of the {place} cannot be excluded.",
    "Suspected stenosis of the {place}.",
    "Cannot exclude a stenosis of the {place}.",
    "The {place} is possibly narrowed.",
)
"""The lesion is there perhaps; how much it narrows is not said."""

UNCHANGED: Final = (
    "{percent} stenosis of the {place}, unchanged from {study}.",
    "{place}: {percent} stenosis, stable since {year}.",
    "Known {percent} lesion of the {place}, as in {study}.",
    "Compared with {study}, no change of the {percent} stenosis of the {place}.",
)
"""An earlier study showed the same."""

CHANGED: Final = (
    "{place}: previously {old}, now {percent}.",
    "{percent} stenosis of the {place} (previously {old}).",
    "The {place} stenosis has gone from {old} to {percent}.",
    "Compared with {study}, the {place} is now narrowed by {percent}; it was {old} in {year}.",
    "{place}: {percent} stenosis, {old} in {year}.",
    "{percent} stenosis of the {place}. It had been {old} in {study}.",
)
"""An earlier study showed another percentage."""

CONTINUED: Final = (
    "There is a lesion in the {place}. It narrows the lumen by {percent}.",
    "The {place} is diseased. The stenosis is {percent}.",
    "A {severity} lesion is seen in the {place}. It measures {percent}.",
    "Stenosis of the {place}. Its severity is {percent}.",
    "{place}: focal lesion. It is eccentric. Severity {percent}.",
)
"""Where it is, and in a later sentence how much it narrows."""

STUDIES: Final = (
    "the study of {year}",
    "the previous angiogram",
    "the angiogram of {month:02d}/{year}",
    "the study in {year}",
)
YEARS: Final = tuple(str(year) for year in range(2022, 2009, -1))

REMARKS: Final = (
    "Comparison: {study}.",
    "No new lesion since {year}.",
    "Compared with {study}, no new stenosis.",
    "No earlier study for comparison.",
)
"""What says nothing of this study by itself."""
REMARK_SHARE: Final = 0.5
"""Reports with such a remark where all is told variedly, of those that compare no lesion."""

HEDGED_PRESENT: Final[Mapping[str, tuple[str, ...]]] = {
    "tortuous": ("Possible tortuosity.",),
    "calcified": ("Possible coronary calcification.", "Calcification is suspected."),
    "sternal_wires": ("Probable sternal wires.",),
    "pacemaker": ("Probable pacemaker lead.", "A pacemaker lead is suspected."),
}
"""Sentences for what is there perhaps, by the field of `Findings`."""
HEDGED_SHARE: Final = 0.25
"""Of what is there and no lesion, how much is hedged, where all is told variedly."""


@dataclass(frozen=True)
class Told:
    """A lesion as it is told."""

    way: Way
    text: str
    """Nothing where it is left out."""


def earlier_study(generator: np.random.Generator) -> Mapping[str, str]:
    """Draw the study that a report compares with: its year, and how it is spoken of."""
    year = YEARS[int(generator.integers(len(YEARS)))]
    month = int(generator.integers(1, 13))
    return {"year": year, "study": draw(STUDIES, generator).format(year=year, month=month)}


def tell_variedly(
    segment: str, percent: int, earlier: Mapping[str, str], generator: np.random.Generator
) -> Told:
    """Tell of one lesion in a way that is drawn."""
    ways = tuple(WAYS)
    way = ways[int(generator.choice(len(ways), p=list(WAYS.values())))]
    if way == "left_out":
        return Told(way, "")
    old = percent
    if way == "compared" and generator.random() < 0.6:
        others = [value for value in PERCENTS if value != percent]
        old = others[int(generator.integers(len(others)))]
    forms = {
        "hedged": HEDGED,
        "unmeasured": UNMEASURED,
        "compared": UNCHANGED if old == percent else CHANGED,
        "continued": CONTINUED,
    }[way]
    form = draw(PERCENT_FORMS, generator)
    text = draw(forms, generator).format(
        place=draw(SEGMENT_NAMES[segment], generator),
        percent=form.format(percent),
        old=form.format(old),
        severity=severity_of(percent),
        a=article(percent),
        **earlier,
    )
    return Told(way, text)


def remark(earlier: Mapping[str, str], generator: np.random.Generator) -> str:
    """Return a sentence that says nothing of this study by itself."""
    return draw(REMARKS, generator).format(**earlier)
