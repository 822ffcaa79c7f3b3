"""Errors about lesions by what they mean for the patient: a left main is no diagonal."""

import math
from typing import Final

from cinelex.metrics.facts.fact import Fact
from cinelex.metrics.facts.lesions import Lesions
from cinelex.metrics.facts.vocabulary import vocabulary

_WEIGHTS: Final = vocabulary("coronary").clinical_weights
OCCLUDED, SIGNIFICANT, SLIGHT = 5.0, 2.0, 0.5
"""Times the weight of the place: occluded, narrowed by half or more (as in the SYNTAX score), and
below, which that score does not count."""


def weight_of(place: str, fact: Fact) -> float:
    """Return how much a lesion matters: 10 for a left main of 70 %, 0.5 for a first diagonal of 30.

    By the place that it is said to be at and by the middle of what is said of it.

    Source: Sianos et al. 2005, EuroIntervention 1(2), the SYNTAX score.
    """
    degree = fact.middle
    times = OCCLUDED if degree >= 100 else SIGNIFICANT if degree >= 50 else SLIGHT
    return float(_WEIGHTS.get(place, 1.0)) * times


def graded_counts(truth: Lesions, claim: Lesions) -> dict[str, float]:
    """Return what the lesions of a pair of reports weigh, and what is left out and invented.

    A lesion that is named too slight is left out by what the slighter one weighs less.
    """
    ours = {place: weight_of(place, fact) for place, fact in truth.positive.items()}
    theirs = {place: weight_of(place, fact) for place, fact in claim.positive.items()}
    left_out = [
        max(0.0, weight - theirs[place]) if place in theirs else weight
        for place, weight in ours.items()
        if place in theirs or not claim.names(place)
    ]
    invented = [
        max(0.0, weight - ours[place]) if place in ours else weight
        for place, weight in theirs.items()
        if place in ours or not truth.names(place)
    ]
    denied = [
        weight for place, weight in ours.items() if claim.denies(place, truth.positive[place])
    ]
    return {
        "reference_weight": math.fsum(ours.values()),
        "candidate_weight": math.fsum(theirs.values()),
        "omitted_weight": math.fsum(left_out),
        "invented_weight": math.fsum(invented),
        "contradicted_weight": math.fsum(denied),
    }
