"""D20: does a resumed run make the steps that the uninterrupted one would have made?"""

from collections.abc import Iterator

from cinelex.doctor.evidence import Evidence, is_number
from cinelex.doctor.rules.rule import Measured, Rule

MAX_DIFFERENCE = 1e-3
"""Relative; on one machine a resumed run is equal to the bit."""
COMPARED = ("loss", "learning_rate", "temperature")


def _differing(evidence: Evidence) -> Iterator[Measured]:
    """Compare the steps that were made twice."""
    if evidence.config is not None and evidence.config.resume_skip:
        return  # what the user chose not to restore may differ
    again = {row["step"]: row for row in evidence.steps}
    differences = (
        (abs(before[key] - again[step][key]) / max(abs(before[key]), 1e-12), key, step)
        for before in evidence.earlier_steps
        if (step := before.get("step")) in again
        for key in COMPARED
        if is_number(before.get(key)) and is_number(again[step].get(key))
    )
    worst, key, step = max(differences, default=(0.0, "", 0))
    if worst > MAX_DIFFERENCE:
        yield Measured(worst, MAX_DIFFERENCE, {"compared": key, "step": step})


STEPS_MADE_AGAIN = Rule(
    id="D20",
    name="steps made again",
    statement="Step {step} was made before the interruption and again after it: {compared} differs "
    "by {percent:.3g} %.",
    formula="|again - before| / |before|, the worst of loss, learning rate and temperature",
    null="0: a checkpoint holds everything that decides the next step",
    cause="Something that decides a step is not saved: moments, the order of the studies, a "
    "schedule's position, a random state.",
    key="checkpoint_every",
    remedy="it does not help here; find what is missing: compare the two steps' learning rate, "
    "batch and weights in this order.",
    next_measurement="--run_mode doctor, which saves, loads and compares one step.",
    check=_differing,
)
