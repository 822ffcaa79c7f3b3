"""N21: does the trained model find more than ridge regression does?"""

from collections.abc import Iterator
from typing import Any

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.rules.rule import Measured, Rule
from cinelex.projects.interface.results import Score

FLOOR = "ridge_"
"""What the names of closed-form nulls begin with."""


def _below(evidence: Evidence) -> Iterator[Measured]:
    """Name the recall that is furthest below a closed form."""
    below = [
        (_above(score, null.margin.value), score, name.removeprefix(FLOOR), null)
        for score in (evidence.results.scores() if evidence.results else ())
        for name, null in score.nulls.items()
        if name.startswith(FLOOR) and null.margin is not None and null.margin.value is not None
    ]
    worst = min(below, key=lambda entry: entry[0], default=None)
    if not evidence.results or worst is None or worst[0] >= 0 or evidence.young:
        return
    margin, score, inputs, null = worst
    assert null.margin is not None
    named: dict[str, Any] = {
        "score": evidence.results.called(score),
        "own": score.value,
        "floor": null.value,
        "inputs": inputs,
        "low": null.margin.low,
        "high": null.margin.high,
        "where": sum(value < 0 for value, *_ in below),
        "count": len(below),
    }
    # where most comparisons are above, one within its interval is chance, or a set that is solved
    ends = [_above(score, end) for end in (null.margin.low, null.margin.high) if end is not None]
    serious = 2 * named["where"] > len(below) or max(ends, default=0.0) < 0
    yield Measured(margin, 0.0, named, "warning" if serious else "note")


def _above(score: Score, margin: float) -> float:
    """Return how much better than the floor a score is, whichever way is better."""
    return -margin if score.better == "lower" else margin


CLOSED_FORM = Rule(
    id="N21",
    name="below a closed form",
    severity="warning",
    statement="Ridge regression from the {inputs} beats the trained model: {score} is "
    "{own:.3f}, and {floor:.3f} for the ridge. This holds for {where} of {count} such "
    "comparisons.",
    formula="the score minus that of ridge regression to TF-IDF of the training reports, paired; "
    "95 % interval {low} to {high}",
    null="above 0 for a model that is worth its training",
    cause="There are too few pairs for the number of trained parameters, or they were memorised.",
    key="steps",
    remedy="train less of the model: a frozen pretrained encoder, more augmentation, fewer steps.",
    next_measurement="The same margin with the towers frozen.",
    check=_below,
)
