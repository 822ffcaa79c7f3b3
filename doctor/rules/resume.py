"""D20: does a resumed run make the steps that the uninterrupted one would have made?"""

from collections.abc import Iterator

from cinelex.doctor.evidence import Evidence, is_number
from cinelex.doctor.finding import Finding

RULE = "D20"
MAX_DIFFERENCE = 1e-3
"""Relative; on one machine a resumed run is equal to the bit."""
COMPARED = ("loss", "learning_rate", "temperature")


def resume(evidence: Evidence) -> Iterator[Finding]:
    """Compare steps that were made twice, and what the self-test found."""
    tested = evidence.diagnostics.get("resume/difference")
    if tested is not None and tested > 0.0:
        yield _finding(
            tested,
            0.0,
            "The step after saving and loading differs from the step without, by "
            f"{tested:.3g} of the step's length.",
        )
    if evidence.config is not None and evidence.config.resume_skip:
        return  # what the user chose not to restore may differ
    again = {row["step"]: row for row in evidence.steps}
    pairs = [
        (before, again[before["step"]])
        for before in evidence.earlier_steps
        if before.get("step") in again
    ]
    worst, key, step = max(
        (
            (abs(before[key] - after[key]) / max(abs(before[key]), 1e-12), key, before["step"])
            for before, after in pairs
            for key in COMPARED
            if is_number(before.get(key)) and is_number(after.get(key))
        ),
        default=(0.0, "", 0),
    )
    if worst > MAX_DIFFERENCE:
        yield _finding(
            worst,
            MAX_DIFFERENCE,
            f"Step {step} was made before the interruption and again after it: {key} differs by "
            f"{100 * worst:.3g} %.",
        )


def _finding(measured: float, threshold: float, statement: str) -> Finding:
    return Finding(
        rule=RULE,
        severity="error",
        statement=statement,
        measured=measured,
        threshold=threshold,
        formula="|again - before| / |before|, the worst of loss, learning rate and temperature",
        null="0: a checkpoint holds everything that decides the next step",
        cause="Something that decides a step is not saved: moments, the order of the studies, a "
        "schedule's place, a random state.",
        key="checkpoint_every",
        remedy="it does not help here; find what is missing: compare the two steps' learning rate, "
        "batch and weights in this order.",
        next_measurement="--run_mode doctor, which saves, loads and compares one step.",
    )
