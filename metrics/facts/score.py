"""How many facts a candidate report gets right, as counts that add up over studies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from jaxtyping import Float

from cinelex.metrics.facts.fact import Fact
from cinelex.metrics.facts.graded import graded_counts
from cinelex.metrics.facts.lesions import Lesions, lesions_of, within_tolerance
from cinelex.metrics.facts.parse import Reading, read

COUNTS: Final = (
    "reference_lesions",
    "candidate_lesions",
    "hits_10pp",
    "hits_segment",
    "reference_vessels",
    "candidate_vessels",
    "hits_vessel",
    "reference_50",
    "candidate_50",
    "hits_50",
    "reference_70",
    "candidate_70",
    "hits_70",
    "reference_numbers",
    "hits_number",
    "hallucinated",
    "omitted",
    "places",
    "contradicted",
    "absolute_error",
    "reference_others",
    "candidate_others",
    "hits_other",
    "reference_sentences",
    "reference_understood",
    "candidate_sentences",
    "candidate_understood",
    "reference_weight",
    "candidate_weight",
    "omitted_weight",
    "invented_weight",
    "contradicted_weight",
)
"""What `fact_counts` counts, in its order; `places` is the union of the diseased places."""

_F1S: Final[Mapping[str, tuple[str, str, str]]] = {
    "lesion_f1_10pp": ("hits_10pp", "reference_lesions", "candidate_lesions"),
    "lesion_f1_segment": ("hits_segment", "reference_lesions", "candidate_lesions"),
    "lesion_f1_vessel": ("hits_vessel", "reference_vessels", "candidate_vessels"),
    "severity_f1_50": ("hits_50", "reference_50", "candidate_50"),
    "severity_f1_70": ("hits_70", "reference_70", "candidate_70"),
    "other_facts_f1": ("hits_other", "reference_others", "candidate_others"),
}
_RATIOS: Final[Mapping[str, tuple[str, str]]] = {
    "number_recall": ("hits_number", "reference_numbers"),
    "hallucination_rate": ("hallucinated", "candidate_lesions"),
    "omission_rate": ("omitted", "reference_lesions"),
    "contradiction_rate": ("contradicted", "places"),
    "mae": ("absolute_error", "places"),
    "graded_omission": ("omitted_weight", "reference_weight"),
    "graded_hallucination": ("invented_weight", "candidate_weight"),
    "graded_contradiction": ("contradicted_weight", "reference_weight"),
    "parse_coverage": ("reference_understood", "reference_sentences"),
    "candidate_parse_coverage": ("candidate_understood", "candidate_sentences"),
}
_PLACE: Final = {name: place for place, name in enumerate(COUNTS)}


@dataclass(frozen=True)
class FactScores:
    """Micro-averaged agreement of facts; None where there is nothing to score, never 1."""

    lesion_f1_10pp: float | None
    """F1 of lesions at the right segment and within 10 points, in [0, 1]."""
    lesion_f1_segment: float | None
    """F1 of lesions at the right segment, whatever their percentage."""
    lesion_f1_vessel: float | None
    """F1 of diseased vessels."""
    severity_f1_50: float | None
    """F1 of segments said to be narrowed by 50 % or more, at the low end of a range."""
    severity_f1_70: float | None
    """F1 of segments said to be narrowed by 70 % or more."""
    number_recall: float | None
    """Share of the reference's percentages that the candidate states, wherever it puts them."""
    hallucination_rate: float | None
    """Share of the candidate's lesions at places where the reference has none."""
    omission_rate: float | None
    """Share of the reference's lesions at places where the candidate has none."""
    contradiction_rate: float | None
    """Share of the places diseased in either report that the other one declares free."""
    graded_omission: float | None
    """Share of what the reference's lesions weigh for the patient that is left out or said to be
    slighter: a left main counts ten times a distal vessel."""
    graded_hallucination: float | None
    """Share of what the candidate's lesions weigh that is invented or exaggerated."""
    graded_contradiction: float | None
    """Share of what the reference's lesions weigh that the candidate denies."""
    mae: float | None
    """Mean absolute error in points over the places diseased in either report, absent being 0."""
    other_facts_f1: float | None
    """F1 of dominance, flow, calcification, tortuosity, wires, pacemaker, ejection fraction."""
    parse_coverage: float | None
    """Share of the reference's sentences that gave a fact: how far the scores can be trusted."""
    candidate_parse_coverage: float | None
    """The same share for the candidate."""


def fact_counts(reference: str, candidate: str) -> Float[np.ndarray, " count"]:
    """Return what one pair of reports adds to each of `COUNTS`.

    Summed over studies, or over a bootstrap resample of them, `from_counts` turns them to scores.
    """
    ours, theirs = _read(reference), _read(candidate)
    (reading, truth), (answer, claim) = ours, theirs
    counts = {
        **_lesion_counts(truth, claim),
        **graded_counts(truth, claim),
        "reference_numbers": truth.numbers.total(),
        "hits_number": (truth.numbers & claim.numbers).total(),
        "reference_others": len(truth.others),
        "candidate_others": len(claim.others),
        "hits_other": len(truth.others & claim.others),
        "reference_sentences": reading.sentences,
        "reference_understood": reading.understood,
        "candidate_sentences": answer.sentences,
        "candidate_understood": answer.understood,
    }
    return np.array([counts[name] for name in COUNTS], dtype=np.float64)


def rates(counts: Float[np.ndarray, "*batch count"]) -> dict[str, Float[np.ndarray, "*batch"]]:
    """Return every score of summed counts by its name; NaN where there is nothing to score."""
    column = {name: counts[..., place] for name, place in _PLACE.items()}
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = {
            name: 2 * column[hits] / (column[reference] + column[candidate])
            for name, (hits, reference, candidate) in _F1S.items()
        }
        scores |= {name: column[part] / column[whole] for name, (part, whole) in _RATIOS.items()}
    return {name: np.asarray(score) for name, score in scores.items()}


def from_counts(counts: Float[np.ndarray, " count"]) -> FactScores:
    """Turn counts that were summed over studies into scores."""
    values = {name: float(score) for name, score in rates(counts).items()}
    return FactScores(**{k: None if np.isnan(v) else v for k, v in values.items()})


def score_facts(references: Sequence[str], candidates: Sequence[str]) -> FactScores:
    """Compare the facts of each candidate report with those of its reference.

    Raises:
        ValueError: the two differ in length, or are empty.
    """
    if len(references) != len(candidates) or not references:
        raise ValueError(
            f"as many candidates as references are needed, and at least one; found "
            f"{len(candidates)} and {len(references)}"
        )
    pairs = zip(references, candidates, strict=True)
    return from_counts(np.sum([fact_counts(*pair) for pair in pairs], axis=0))


@lru_cache(maxsize=16384)
def _read(report: str) -> tuple[Reading, Lesions]:
    """Read a report once: references meet one candidate per baseline."""
    reading = read(report)
    return reading, lesions_of(reading)


def _lesion_counts(truth: Lesions, claim: Lesions) -> dict[str, int | float]:
    places = truth.positive.keys() | claim.positive.keys()
    both = truth.positive.keys() & claim.positive.keys()
    counts: dict[str, int | float] = {
        "reference_lesions": len(truth.positive),
        "candidate_lesions": len(claim.positive),
        "hits_10pp": sum(within_tolerance(claim.positive[p], truth.positive[p]) for p in both),
        "hits_segment": len(both),
        "reference_vessels": len(truth.vessels),
        "candidate_vessels": len(claim.vessels),
        "hits_vessel": len(truth.vessels & claim.vessels),
        "hallucinated": sum(not truth.names(place) for place in claim.positive),
        "omitted": sum(not claim.names(place) for place in truth.positive),
        "places": len(places),
        "contradicted": sum(_contradicted(place, truth, claim) for place in places),
        "absolute_error": sum(
            abs(_middle(truth.positive.get(place)) - _middle(claim.positive.get(place)))
            for place in places
        ),
    }
    for percent in (50, 70):
        ours, theirs = truth.at_least(percent), claim.at_least(percent)
        counts[f"reference_{percent}"] = len(ours)
        counts[f"candidate_{percent}"] = len(theirs)
        counts[f"hits_{percent}"] = len(ours & theirs)
    return counts


def _contradicted(place: str, truth: Lesions, claim: Lesions) -> bool:
    ours, theirs = truth.positive.get(place), claim.positive.get(place)
    if ours is not None:
        return claim.denies(place, ours)
    return theirs is not None and truth.denies(place, theirs)


def _middle(fact: Fact | None) -> float:
    return 0.0 if fact is None else fact.middle
