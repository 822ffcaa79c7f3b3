"""D5: did the learning rate go where a schedule must go?"""

from collections.abc import Iterator, Sequence
from functools import partial

from cinelex.config.schedule import learning_rate
from cinelex.doctor.evidence import Evidence, is_number
from cinelex.doctor.rules.rule import Measured, Rule

MAX_RISE = 0.05
"""Rise after the peak, as a share of the peak."""
MAX_OFF_AT_END = 0.05
"""Distance of the last rate from the final one, as a share of the peak."""
MIN_PEAK = 0.5
"""Share of the greatest scheduled rate of the recorded steps that must have been reached."""
FEWEST = 3

_measured = partial(Measured, course=("learning_rate",), line=0.0)


def _rates(evidence: Evidence) -> Sequence[float]:
    """Return the recorded rates; none where they are too few."""
    rates = [rate for _, rate in evidence.course("learning_rate")]
    return rates if len(rates) >= FEWEST else ()


def _lost(evidence: Evidence) -> Iterator[Measured]:
    lost = sum(not is_number(row.get("learning_rate", 0.0)) for row in evidence.steps)
    if lost:
        yield _measured(float(lost), 0.0)


def _rose(evidence: Evidence) -> Iterator[Measured]:
    rates = _rates(evidence)
    peak, rise = max(rates, default=0.0), 0.0
    lowest = peak
    for rate in rates[rates.index(peak) :] if rates else ():
        lowest = min(lowest, rate)
        rise = max(rise, rate - lowest)
    if peak > 0 and rise / peak > MAX_RISE:
        yield _measured(rise / peak, MAX_RISE)


def _missed_its_end(evidence: Evidence) -> Iterator[Measured]:
    config, rates = evidence.config, _rates(evidence)
    if config is None or not rates or evidence.last_step != config.steps:
        return
    end = learning_rate(config.optimizer, step=config.steps - 1, steps=config.steps)
    off = abs(rates[-1] - end) / config.optimizer.learning_rate
    if off > MAX_OFF_AT_END:
        yield _measured(off, MAX_OFF_AT_END, {"last": rates[-1], "end": end})


def _never_reached(evidence: Evidence) -> Iterator[Measured]:
    """Compare with the greatest rate due: a live run's newest steps may all lie behind the peak."""
    config, rates = evidence.config, _rates(evidence)
    if config is None or not rates or evidence.last_step <= config.optimizer.warmup_steps:
        return
    due = max(
        learning_rate(config.optimizer, step=step - 1, steps=config.steps)
        for step, _ in evidence.course("learning_rate")
    )
    if max(rates) < MIN_PEAK * due:
        named = {"step": evidence.last_step, "warmup": config.optimizer.warmup_steps}
        yield _measured(max(rates) / due, MIN_PEAK, {**named, "peak": max(rates), "due": due})


_rule = partial(
    Rule,
    id="D5",
    formula="recorded learning rates as shares of their peak, or of optimizer.learning_rate",
    null="0 for a warm-up and a way down that are functions of the optimizer step",
    cause="The schedule is stepped per micro-batch or per epoch, or restarted when the run was "
    "resumed.",
    key="optimizer.warmup_steps",
    remedy="make the rate a function of the optimizer step alone, with steps and warm-up in "
    "optimizer steps.",
    next_measurement="The learning rate over the whole run, which --run_mode doctor prints.",
)
NOT_FINITE = _rule(
    name="learning rates that are not finite",
    statement="{value:.0f} steps had a learning rate that is not finite.",
    check=_lost,
)
ROSE_AGAIN = _rule(
    name="a learning rate that rises again",
    statement="The learning rate rose again by {percent:.0f} % of its peak after it had fallen.",
    check=_rose,
)
MISSED_ITS_END = _rule(
    name="a learning rate that ends elsewhere",
    statement="The learning rate ended at {last:.3g}, {percent:.0f} % of the peak away from the "
    "{end:.3g} that it should end at.",
    check=_missed_its_end,
)
NEVER_REACHED = _rule(
    name="a learning rate that never arrives",
    statement="{step} steps have passed, warm-up takes {warmup}, and the learning rate has reached "
    "{peak:.3g} where {due:.3g} was due.",
    check=_never_reached,
)
