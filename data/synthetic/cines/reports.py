"""Reports of synthetic studies: short, varied, and so plain that every finding can be read back.

A parser of reports recovers from each template exactly what it states; the tests hold both to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cinelex.data.synthetic.cines.findings import SEGMENTS, VESSELS, Findings
from cinelex.data.synthetic.cines.varied import (
    HEDGED_PRESENT,
    HEDGED_SHARE,
    REMARK_SHARE,
    Way,
    earlier_study,
    remark,
    tell_variedly,
)
from cinelex.data.synthetic.cines.wording import (
    PERCENT_FORMS,
    SEGMENT_NAMES,
    VESSEL_NAMES,
    article,
    draw,
    severity_of,
)

LESION: Final = (
    "{percent} stenosis of the {place}.",
    "{place} with {a} {percent} stenosis.",
    "{severity} stenosis ({percent}) in the {place}.",
    "{place}: {percent} stenosis.",
    "There is {a} {percent} lesion in the {place}.",
    "The {place} shows {severity} disease, {percent}.",
    "The {place} is narrowed by {percent}.",
    "A {severity} lesion of {percent} is seen in the {place}.",
    "{place} {percent} {severity} narrowing.",
    "{severity} {percent} obstruction of the {place}.",
)
"""One sentence per lesion that leaves a lumen; `a` is the article that fits the percentage."""

OCCLUSION: Final = (
    "Total occlusion ({percent}) of the {place}.",
    "The {place} is occluded ({percent}).",
    "{place}: {percent} occlusion.",
    "{percent} total occlusion in the {place}.",
)
"""One sentence per occluded segment."""

ONE_HEALTHY: Final = (
    "The {vessels} is free of significant disease.",
    "No significant stenosis in the {vessels}.",
    "The {vessels} is normal.",
    "{vessels} without stenosis.",
)
"""The only vessel that carries no lesion."""

REST_HEALTHY: Final = (
    "The remaining vessels are free of stenosis.",
    "Other vessels without significant disease.",
)
"""All vessels but those with a lesion, which must have been named before."""

SOME_HEALTHY: Final = (
    "The {vessels} are free of significant disease.",
    "No significant stenosis in the {vessels}.",
    "{vessels} are normal.",
    *REST_HEALTHY,
)
"""Two or three vessels without a lesion."""

ALL_HEALTHY: Final = (
    "Normal coronary arteries.",
    "No significant coronary artery disease.",
    "All coronary vessels are free of stenosis.",
    "No coronary stenosis.",
)
"""No lesion in the study."""

DOMINANCE: Final = (
    "{side} dominant circulation.",
    "{side} dominant.",
    "{side} coronary dominance.",
    "The circulation is {side} dominant.",
)

FLOW: Final = (
    "TIMI {grade} flow.",
    "TIMI flow grade {grade}.",
    "Flow is TIMI {grade}.",
    "TIMI-{grade} flow throughout.",
)

PRESENT: Final[Mapping[str, tuple[str, ...]]] = {
    "tortuous": ("Tortuous vessels.", "The vessels are tortuous.", "Marked tortuosity."),
    "calcified": ("Calcified vessels.", "Coronary calcification.", "The arteries are calcified."),
    "sternal_wires": ("Sternal wires.", "Sternotomy wires are seen.", "Sternal wires in place."),
    "pacemaker": ("Pacemaker lead.", "A pacemaker lead is seen.", "Pacemaker in place."),
}
"""Sentences for what is there, by the field of `Findings`, in the order in which they are said."""

ABSENT: Final[Mapping[str, tuple[str, ...]]] = {
    "tortuous": ("", "", "No tortuosity."),
    "calcified": ("", "", "No calcification."),
    "sternal_wires": ("",),
    "pacemaker": ("",),
}
"""Sentences for what is not there; most often nothing is said."""


@dataclass(frozen=True)
class Report:
    """A report, and what it does with the findings that it does not state plainly."""

    text: str
    ways: Mapping[str, Way]
    """How each lesion is told that is not told plainly, by segment."""
    hedged: frozenset[str]
    """Fields of `Findings` that are there and are said to be there perhaps."""


def write_report(
    findings: Findings, generator: np.random.Generator, *, variety: float = 0.0
) -> str:
    """Return the text of a report; see `compose_report`."""
    return compose_report(findings, generator, variety=variety).text


def compose_report(
    findings: Findings, generator: np.random.Generator, *, variety: float = 0.0
) -> Report:
    """Return a report that states every finding once, in at most some seventy words.

    Dominance, then a sentence per lesion with its percentage, the healthy vessels, flow, and the
    rest. Wording is drawn with Zipf's weights, so that the usual phrase is the most frequent one.

    Args:
        findings: What is true.
        generator: Draws the wording.
        variety: Probability that a lesion is told otherwise: hedged, compared with an earlier
            study, over several sentences, or left out. At 0 nothing is drawn for it.
    """
    sentences = [draw(DOMINANCE, generator).format(side=findings.dominance)]
    ways: dict[str, Way] = {}
    earlier = earlier_study(generator) if variety else {}
    for segment in (name for name in SEGMENTS if name in findings.lesions):
        percent = findings.lesions[segment]
        if variety and generator.random() < variety:
            told = tell_variedly(segment, percent, earlier, generator)
            ways[segment] = told.way
            sentences.append(told.text)
        else:
            sentences.append(_lesion(segment, percent, generator))
    said = {segment for segment in findings.lesions if ways.get(segment) != "left_out"}
    sentences += _healthy(findings, said, generator)
    sentences.append(draw(FLOW, generator).format(grade=findings.flow))
    hedged = set()
    for field, present in PRESENT.items():
        choices = present if getattr(findings, field) else ABSENT[field]
        if choices is present and variety and generator.random() < variety * HEDGED_SHARE:
            hedged.add(field)
            choices = HEDGED_PRESENT[field]
        sentences.append(draw(choices, generator))
    alone = "compared" not in ways.values()
    if variety and alone and generator.random() < variety * REMARK_SHARE:
        sentences.append(remark(earlier, generator))
    text = " ".join(part[0].upper() + part[1:] for part in sentences if part)
    return Report(text, ways, frozenset(hedged))


def _lesion(segment: str, percent: int, generator: np.random.Generator) -> str:
    return draw(OCCLUSION if percent == 100 else LESION, generator).format(
        place=draw(SEGMENT_NAMES[segment], generator),
        percent=draw(PERCENT_FORMS, generator).format(percent),
        severity=severity_of(percent),
        a=article(percent),
    )


def _healthy(findings: Findings, said: set[str], generator: np.random.Generator) -> list[str]:
    """Return the sentence about the vessels without a lesion, or none where each has one.

    A vessel none of whose lesions is said is passed over, and so "the remaining vessels" are not
    spoken of.
    """
    diseased, named = (
        {name for name, parts in VESSELS.items() if not segments.isdisjoint(parts)}
        for segments in (set(findings.lesions), said)
    )
    healthy = [name for name in VESSELS if name not in diseased]
    if not healthy:
        return []
    if len(healthy) == len(VESSELS):
        return [draw(ALL_HEALTHY, generator)]
    names = [draw(VESSEL_NAMES[vessel], generator) for vessel in healthy]
    choices: Sequence[str] = ONE_HEALTHY if len(healthy) == 1 else SOME_HEALTHY
    if named != diseased:
        choices = tuple(text for text in choices if text not in REST_HEALTHY)
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return [draw(choices, generator).format(vessels=listed)]
