"""D4, for the sigmoid loss: does its bias start where most pairs are no pairs?"""

import math
from collections.abc import Iterator

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.rules.rule import Measured, Rule
from cinelex.metrics.nulls import sigmoid_start

MAX_OFF = 2.0
"""Distance of the bias from -ln(N - 1), in logits."""


def _off(evidence: Evidence) -> Iterator[Measured]:
    """Compare the fresh model's bias with the logarithm of the odds of a pair."""
    config = evidence.config
    if config is None or config.contrastive.name != "siglip" or not evidence.diagnostics:
        return
    if config.batch < 2:  # no pair is a negative; the rule on headroom says so
        return
    wanted, bias = -math.log(config.batch - 1), evidence.diagnostics.get("model/bias")
    if bias is None or abs(bias - wanted) > MAX_OFF:
        named = {
            **{"wanted": wanted, "batch": config.batch},
            "bias": "no bias" if bias is None else f"a bias of {bias:.2f}",
            "start": sigmoid_start(config.batch, bias=bias or 0.0),
            "best": sigmoid_start(config.batch),
        }
        yield Measured(bias or 0.0, wanted, named, severity="error" if bias is None else None)


SIGMOID_BIAS = Rule(
    id="D4",
    name="the bias of the sigmoid loss",
    severity="warning",
    statement="The sigmoid loss has {bias}; with {batch} studies it starts at {start:.2f} nats a "
    "study instead of {best:.2f}.",
    formula="|bias + ln(N - 1)|, at most 2",
    null="-ln(N - 1) = {wanted:.2f}, the logarithm of the odds that a pair belongs together",
    cause="N - 1 of N pairs are negatives; without the bias their gradients drown the positives'.",
    key="contrastive",
    remedy="start the bias at -ln(batch - 1), or use infonce.",
    next_measurement="The first 50 losses beside the start above.",
    check=_off,
)
