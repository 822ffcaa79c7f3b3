"""D16: does the learned temperature stand at an end of its range?"""

from collections.abc import Iterator

from cinelex.doctor.evidence import WINDOW, Evidence
from cinelex.doctor.rules.rule import Measured, Rule

NEAR = 0.01
"""Relative distance from an end of the range."""
MAX_STEPS = 0.5
"""Share of the newest steps that may stand there."""


def _clamped(evidence: Evidence) -> Iterator[Measured]:
    config = evidence.config
    values = [value for _, value in evidence.course("temperature")[-WINDOW:]]
    if config is None or not config.learn_temperature or len(values) < WINDOW:
        return
    for end in config.temperature_range:
        share = sum(abs(value - end) <= NEAR * end for value in values) / len(values)
        if share > MAX_STEPS:
            yield Measured(share, MAX_STEPS, {"end": end}, course=("temperature",), line=end)


TEMPERATURE_CLAMP = Rule(
    id="D16",
    name="a temperature at an end of its range",
    severity="warning",
    statement="The temperature is at {end:g}, an end of its range, in {percent:.0f} % of the "
    f"newest {WINDOW} steps.",
    formula="steps with |temperature - {end:g}| <= 1 % / steps",
    null="0 for a temperature that has found its place",
    cause="Pairs that are easy to tell apart drive it down; false negatives or meaningless "
    "labels drive it up.",
    key="temperature_range",
    remedy="widen it to see where it would go, or set learn_temperature: false.",
    next_measurement="Held-out retrieval with the temperature fixed at 0.07.",
    check=_clamped,
)
