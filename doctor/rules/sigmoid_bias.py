"""D4, for the sigmoid loss: does its bias start where most pairs are no pairs?"""

import math
from collections.abc import Iterator

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding
from cinelex.metrics.nulls import sigmoid_start

RULE = "D4"
MAX_OFF = 2.0
"""Distance of the bias from -ln(N - 1), in logits."""


def sigmoid_bias(evidence: Evidence) -> Iterator[Finding]:
    """Compare the fresh model's bias with the logarithm of the odds of a pair."""
    config = evidence.config
    if config is None or config.contrastive.name != "siglip" or not evidence.diagnostics:
        return
    if config.batch < 2:  # no pair is a negative; the rule on headroom says so
        return
    wanted = -math.log(config.batch - 1)
    bias = evidence.diagnostics.get("model/bias")
    off = math.inf if bias is None else abs(bias - wanted)
    if off <= MAX_OFF:
        return
    start = sigmoid_start(config.batch, bias=bias or 0.0)
    yield Finding(
        rule=RULE,
        severity="error" if bias is None else "warning",
        statement=(
            f"The sigmoid loss has {'no bias' if bias is None else f'a bias of {bias:.2f}'}; with "
            f"{config.batch} studies it starts at {start:.2f} nats a study instead of "
            f"{sigmoid_start(config.batch):.2f}."
        ),
        measured=0.0 if bias is None else bias,
        threshold=wanted,
        formula="|bias + ln(N - 1)|, at most 2",
        null=f"-ln(N - 1) = {wanted:.2f}, the logarithm of the odds that a pair belongs together",
        cause="N - 1 of N pairs are negatives; without the bias their pull drowns the positives.",
        key="contrastive",
        remedy="start the bias at -ln(batch - 1), or use infonce.",
        next_measurement="The first 50 losses beside the start above.",
    )
