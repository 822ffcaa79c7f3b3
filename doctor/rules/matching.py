"""D13: does the model find a sample's own partner among a few, better than chance?"""

import math
from collections.abc import Iterator

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding
from cinelex.metrics.failure_nulls import greatest_chance_recall
from cinelex.projects import PROJECTS

RULE = "D13"


def matching(evidence: Evidence) -> Iterator[Finding]:
    """Compare recall and mean rank on the fixed samples with the reach of chance, 39 times in 40.

    Both must be within it: recall alone would call a slow beginning sick. Partners that no term
    matches are not asked for.
    """
    if not is_trained_to_match(evidence):
        return
    recall = evidence.newest("embedding/recall_at_1")
    samples, rank = evidence.newest("embedding/samples"), evidence.newest("embedding/rank")
    if recall is None or samples is None or rank is None or evidence.young:
        return
    chance = 1 / samples
    limit = greatest_chance_recall(int(samples), int(samples))
    nearest = 0.5 - 1.96 / math.sqrt(12 * samples)
    if recall > limit or rank < nearest:
        return
    margin = evidence.newest("embedding/margin")
    shuffled = evidence.newest("embedding/recall_at_1/shuffled")
    yield Finding(
        rule=RULE,
        severity="error",
        statement=(
            f"After {evidence.last_step} steps {100 * recall:.1f} % of {samples:.0f} fixed "
            f"held-out samples find their own partner first, where chance is {100 * chance:.1f} %, "
            f"and {100 * rank:.0f} % of the others are as near as the own partner, where chance "
            "is 50 %."
        ),
        measured=rank,
        threshold=nearest,
        formula=(
            "mean share of others as near, beside 0.5 - 1.96/sqrt(12 samples); R@1 beside "
            f"{limit:.3f}, the 97.5th percentile of a binomial; margin to the hardest negative "
            f"{margin if margin is not None else float('nan'):.3f}"
        ),
        null=f"chance {chance:.4f}; partners shuffled: "
        f"{shuffled if shuffled is not None else float('nan'):.4f}",
        cause="Videos and reports that do not belong together, or a tower that has not learned.",
        key="data.manifest",
        remedy="look at ten studies with their reports; then overfit 32 of them.",
        next_measurement="R@1 on training studies: at chance too, it is the pairs or the model.",
        course=("embedding/rank", "embedding/rank/chance"),
    )


def is_trained_to_match(evidence: Evidence) -> bool:
    """Return whether a matching term has a weight; True where the record names none."""
    terms = {t.name for entry in PROJECTS.values() for t in entry.terms.values() if t.matches}
    weights = [evidence.newest(f"weight/{term}") for term in terms]
    return all(weight is None for weight in weights) or any(weights)
