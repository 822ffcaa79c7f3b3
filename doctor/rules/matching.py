"""D13: does the model find a sample's own partner among a few, better than chance?"""

import math
from collections.abc import Iterator

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.rules.rule import Measured, Rule
from cinelex.metrics.failure_nulls import greatest_chance_recall
from cinelex.projects import PROJECTS


def is_trained_to_match(evidence: Evidence) -> bool:
    """Return whether a matching term has a weight; True where the record names none."""
    terms = {t.name for entry in PROJECTS.values() for t in entry.terms.values() if t.matches}
    weights = [evidence.newest(f"weight/{term}") for term in terms]
    return all(weight is None for weight in weights) or any(weights)


def _unmatched(evidence: Evidence) -> Iterator[Measured]:
    """Compare recall and mean rank on the fixed samples with the reach of chance, 39 times in 40.

    Both must be within it: recall alone would call a slow beginning sick. Partners that no term
    matches are not asked for.
    """
    names = ("recall_at_1", "samples", "rank", "margin", "recall_at_1/shuffled")
    recall, samples, rank, margin, shuffled = (evidence.newest(f"embedding/{n}") for n in names)
    if recall is None or samples is None or rank is None or evidence.young:
        return
    limit = greatest_chance_recall(int(samples), int(samples))
    nearest = 0.5 - 1.96 / math.sqrt(12 * samples)
    if recall > limit or rank < nearest or not is_trained_to_match(evidence):
        return
    named = {
        **{"step": evidence.last_step, "recall": 100 * recall, "samples": samples, "limit": limit},
        "chance": 100 / samples,
        "margin": math.nan if margin is None else margin,
        "shuffled": math.nan if shuffled is None else shuffled,
    }
    course = ("embedding/rank", "embedding/rank/chance")
    yield Measured(rank, nearest, named, course=course)


MATCHING = Rule(
    id="D13",
    name="partners that are not found",
    statement="After {step} steps {recall:.1f} % of {samples:.0f} fixed held-out samples rank "
    "their own partner first (chance {chance:.1f} %), and {percent:.0f} % of the others are "
    "as near as the partner (chance 50 %).",
    formula="mean share of others as near, beside 0.5 - 1.96/sqrt(12 samples); R@1 beside "
    "{limit:.3f}, the 97.5th percentile of a binomial; margin to the hardest negative {margin:.3f}",
    null="chance {chance:.2f} %; partners shuffled: {shuffled:.4f}",
    cause="Mismatched videos and reports, or a tower that has not learned.",
    key="data.manifest",
    remedy="look at ten studies with their reports; then overfit 32 of them.",
    next_measurement="R@1 on training studies: at chance too, it is the pairs or the model.",
    check=_unmatched,
)
