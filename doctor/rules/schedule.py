"""D5: did the learning rate go where a schedule must go?"""

from collections.abc import Iterator

from cinelex.config.schedule import learning_rate
from cinelex.doctor.evidence import Evidence, is_number
from cinelex.doctor.finding import Finding

RULE = "D5"
MAX_RISE = 0.05
"""Rise after the peak, as a share of the peak."""
MAX_OFF_AT_END = 0.05
"""Distance of the last rate from the final one, as a share of the peak."""
MIN_PEAK = 0.5
"""Share of the greatest scheduled rate of the recorded steps that must have been reached."""


def schedule(evidence: Evidence) -> Iterator[Finding]:
    """Look at the recorded rates: finite, no way back up, at the end where the config says."""
    lost = sum(not is_number(row.get("learning_rate", 0.0)) for row in evidence.steps)
    if lost:
        yield _finding(float(lost), 0.0, f"{lost} steps had a learning rate that is not finite.")
    course = evidence.course("learning_rate")
    if len(course) < 3:
        return
    config, rates = evidence.config, [rate for _, rate in course]
    peak = max(rates)
    after = rates[rates.index(peak) :]
    lowest = after[0]
    rise = 0.0
    for rate in after:
        lowest = min(lowest, rate)
        rise = max(rise, rate - lowest)
    if peak > 0 and rise / peak > MAX_RISE:
        yield _finding(
            rise / peak,
            MAX_RISE,
            f"The learning rate rose again by {100 * rise / peak:.0f} % of its peak after it had "
            "fallen.",
        )
    if config is None:
        return
    wanted = config.optimizer
    off = abs(rates[-1] - wanted.final_learning_rate) / wanted.learning_rate
    if evidence.last_step == config.steps and off > MAX_OFF_AT_END:
        yield _finding(
            off,
            MAX_OFF_AT_END,
            f"The learning rate ended at {rates[-1]:.3g}, {100 * off:.0f} % of the peak away from "
            f"the {wanted.final_learning_rate:.3g} that it should end at.",
        )
    # a live run is judged by its newest steps, which may all lie behind the peak
    due = max(learning_rate(wanted, step=step - 1, steps=config.steps) for step, _ in course)
    if evidence.last_step > wanted.warmup_steps and peak < MIN_PEAK * due:
        yield _finding(
            peak / due,
            MIN_PEAK,
            f"{evidence.last_step} steps have passed, warm-up takes {wanted.warmup_steps}, and the "
            f"learning rate has reached {peak:.3g} where {due:.3g} was due.",
        )


def _finding(measured: float, threshold: float, statement: str) -> Finding:
    return Finding(
        rule=RULE,
        severity="error",
        statement=statement,
        measured=measured,
        threshold=threshold,
        formula="recorded learning rates as shares of their peak, or of optimizer.learning_rate",
        null="0 for a warm-up and half a cosine that are functions of the optimizer step",
        cause=(
            "The schedule is stepped per micro-batch or per epoch, or began anew when the run was "
            "resumed."
        ),
        key="optimizer.warmup_steps",
        remedy="make the rate a function of the optimizer step alone, with steps and warm-up in "
        "optimizer steps.",
        next_measurement="The learning rate over the whole run, which --run_mode doctor prints.",
        course=("learning_rate",),
        line=0.0,
    )
