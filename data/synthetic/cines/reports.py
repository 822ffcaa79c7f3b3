"""Reports of synthetic studies: short, varied, and so plain that every finding can be read back.

A parser of reports recovers each finding from each template exactly; the tests hold both to it.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from cinelex.data.synthetic.cines.findings import SEGMENTS, VESSELS, Findings

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

SOME_HEALTHY: Final = (
    "The {vessels} are free of significant disease.",
    "No significant stenosis in the {vessels}.",
    "{vessels} are normal.",
    "The remaining vessels are free of stenosis.",
    "Other vessels without significant disease.",
)
"""Two or three vessels without a lesion; the last two sentences need the lesions named before."""

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


def write_report(findings: Findings, generator: np.random.Generator) -> str:
    """Return a report that states every finding once, in at most some seventy words.

    Dominance, then a sentence per lesion with its percentage, the healthy vessels, flow, and the
    rest. Wording is drawn with Zipf's weights, so that the usual phrase is the most frequent one.
    """
    sentences = [_draw(DOMINANCE, generator).format(side=findings.dominance)]
    sentences += [
        _lesion(segment, findings.lesions[segment], generator)
        for segment in SEGMENTS
        if segment in findings.lesions
    ]
    sentences += _healthy(findings, generator)
    sentences.append(_draw(FLOW, generator).format(grade=findings.flow))
    for field, present in PRESENT.items():
        choices = present if getattr(findings, field) else ABSENT[field]
        sentences.append(_draw(choices, generator))
    return " ".join(text[0].upper() + text[1:] for text in sentences if text)


def severity_of(percent: int) -> str:
    """Return the usual word for a diameter stenosis in percent."""
    if percent >= 70:
        return "severe"
    if percent >= 50:
        return "moderate"
    return "mild" if percent >= 25 else "minimal"


def _lesion(segment: str, percent: int, generator: np.random.Generator) -> str:
    return _draw(OCCLUSION if percent == 100 else LESION, generator).format(
        place=_draw(SEGMENT_NAMES[segment], generator),
        percent=_draw(PERCENT_FORMS, generator).format(percent),
        severity=severity_of(percent),
        a=_article(percent),
    )


def _article(percent: int) -> str:
    """Return the article of the spoken number: an eight, an eleven, an eighteen, an eighty-."""
    return "an" if percent in (8, 11, 18) or 80 <= percent < 90 else "a"


def _healthy(findings: Findings, generator: np.random.Generator) -> list[str]:
    """Return the sentence about the vessels without a lesion, or none where each has one."""
    healthy = [name for name, parts in VESSELS.items() if findings.lesions.keys().isdisjoint(parts)]
    if not healthy:
        return []
    if len(healthy) == len(VESSELS):
        return [_draw(ALL_HEALTHY, generator)]
    names = [_draw(VESSEL_NAMES[vessel], generator) for vessel in healthy]
    choices = ONE_HEALTHY if len(healthy) == 1 else SOME_HEALTHY
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return [_draw(choices, generator).format(vessels=listed)]


def _draw(choices: Sequence[str], generator: np.random.Generator) -> str:
    """Draw one, the k-th (from 1) in proportion to 1/k."""
    weights = 1.0 / np.arange(1, len(choices) + 1)
    return choices[int(generator.choice(len(choices), p=weights / weights.sum()))]
