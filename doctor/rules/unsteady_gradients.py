"""D15: are gradients finite, and does clipping decide how far a step goes?"""

from collections.abc import Iterator
from statistics import median

from cinelex.doctor.evidence import Evidence, is_number
from cinelex.doctor.finding import Finding

RULE = "D15"
MAX_SKIPPED = 0.01
"""Share of steps that may be left out because a gradient was not finite."""
MIN_SKIPPED = 3
"""Steps left out below which it may have been an accident."""
MAX_CLIPPED = 0.9
"""Share of steps with a gradient longer than the limit."""
HUGE = 100.0
"""Median norm, in limits, from which on clipping hides a fault of scale."""
MIN_STEPS = 50


def unsteady_gradients(evidence: Evidence) -> Iterator[Finding]:
    """Count the steps that were left out and those that were clipped."""
    steps = evidence.steps
    if not steps:
        return
    # a step that a roll-back leaves out has a finite gradient
    skipped = sum(not is_number(row.get("grad_norm", 0.0)) for row in steps)
    if skipped / len(steps) > MAX_SKIPPED:
        yield _skipped(skipped, len(steps))
    if evidence.config is None or len(steps) < MIN_STEPS:
        return
    limit = evidence.config.max_grad_norm
    norms = [norm for _, norm in evidence.course("grad_norm")]
    clipped = sum(norm > limit for norm in norms) / len(norms) if norms else 0.0
    if clipped > MAX_CLIPPED:
        yield _clipped(clipped, median(norms), limit)


def _skipped(skipped: int, steps: int) -> Finding:
    return Finding(
        rule=RULE,
        severity="error" if skipped >= MIN_SKIPPED else "note",
        statement=f"{skipped} of {steps} steps were left out: a gradient was not finite.",
        measured=skipped / steps,
        threshold=MAX_SKIPPED,
        formula="steps left out / steps recorded",
        null="0; a loss in half precision may lose one step in thousands",
        cause="Overflow in half precision, a division by 0, or broken pixels.",
        key="precision",
        remedy="fp32 for one epoch: if the steps still fail, it is the data or the loss.",
        next_measurement="Which term is the first that is not finite.",
        course=("skipped",),
        line=0.0,
    )


def _clipped(clipped: float, middle: float, limit: float) -> Finding:
    huge = middle > HUGE * limit
    return Finding(
        rule=RULE,
        severity="warning" if huge else "note",
        statement=(
            f"{100 * clipped:.0f} % of the gradients are longer than the limit; their median norm "
            f"is {middle:.3g}, the limit {limit:.3g}."
        ),
        measured=clipped,
        threshold=MAX_CLIPPED,
        formula="steps with grad_norm > max_grad_norm / steps",
        null="0 where clipping only meets accidents; AdamW divides a common factor out again, so "
        "that a limit that always holds makes all steps equally long and no slower",
        cause="The limit stands below the usual norm."
        if not huge
        else "A term is orders of magnitude too large.",
        key="max_grad_norm",
        remedy=f"{2 * middle:.2g} would clip accidents alone.",
        next_measurement="The loss of the same seed with that limit.",
        course=("grad_norm",),
        line=limit,
    )
