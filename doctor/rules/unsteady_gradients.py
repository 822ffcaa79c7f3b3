"""D15: are gradients finite, and does clipping decide how far a step goes?"""

from collections.abc import Iterator
from statistics import median

from cinelex.doctor.evidence import Evidence, is_number
from cinelex.doctor.finding import Severity
from cinelex.doctor.rules.rule import Measured, Rule

MAX_SKIPPED = 0.01
"""Share of steps that may be left out because a gradient was not finite."""
MIN_SKIPPED = 3
"""Steps left out below which it may have been an accident."""
MAX_CLIPPED = 0.9
"""Share of steps with a gradient longer than the limit."""
HUGE = 100.0
"""Median norm, in limits, from which on clipping hides a fault of scale."""
MIN_STEPS = 50
LOW_LIMIT = "The limit stands below the usual norm."


def _skipped(evidence: Evidence) -> Iterator[Measured]:
    # a step that a roll-back leaves out has a finite gradient
    skipped = sum(not is_number(row.get("grad_norm", 0.0)) for row in evidence.steps)
    steps = len(evidence.steps)
    if steps and skipped / steps > MAX_SKIPPED:
        severity: Severity = "error" if skipped >= MIN_SKIPPED else "note"
        named = {"skipped": skipped, "steps": steps}
        course = ("skipped",)
        yield Measured(skipped / steps, MAX_SKIPPED, named, severity, course=course, line=0.0)


def _clipped(evidence: Evidence) -> Iterator[Measured]:
    norms = [norm for _, norm in evidence.course("grad_norm")]
    if evidence.config is None or len(evidence.steps) < MIN_STEPS or not norms:
        return
    limit = evidence.config.max_grad_norm
    clipped, middle = sum(norm > limit for norm in norms) / len(norms), median(norms)
    if clipped > MAX_CLIPPED:
        huge = middle > HUGE * limit
        cause = "A term is orders of magnitude too large." if huge else LOW_LIMIT
        named = {"middle": middle, "limit": limit, "enough": 2 * middle, "cause": cause}
        severity: Severity = "warning" if huge else "note"
        yield Measured(clipped, MAX_CLIPPED, named, severity, course=("grad_norm",), line=limit)


SKIPPED = Rule(
    id="D15",
    name="gradients that are not finite",
    statement="{skipped} of {steps} steps were left out: a gradient was not finite.",
    formula="steps left out / steps recorded",
    null="0; a loss in bf16 may lose one step in thousands",
    cause="Overflow in bf16, a division by 0, or broken pixels.",
    key="precision",
    remedy="fp32 for one epoch: if the steps still fail, it is the data or the loss.",
    next_measurement="Which term is the first that is not finite.",
    check=_skipped,
)
CLIPPED = Rule(
    id="D15",
    name="clipping that always holds",
    statement="{percent:.0f} % of the gradients exceed the clipping limit; their median norm is "
    "{middle:.3g}, the limit {limit:.3g}.",
    formula="steps with grad_norm > max_grad_norm / steps",
    null="0 where clipping only meets accidents; AdamW divides a common factor out again, so that "
    "a limit that always holds makes all steps equally long and no slower",
    cause="{cause}",
    key="max_grad_norm",
    remedy="{enough:.2g} would clip only outliers.",
    next_measurement="The loss of the same seed with that limit.",
    check=_clipped,
)
