"""D12: do the latents of different pictures still differ, or is there nothing left but a bias?"""

import math
from collections.abc import Iterator

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.rules.rule import Measured, Rule

MIN_SPREAD = 0.05
"""Standard deviation of a number over pictures, as a share of that over all numbers of a batch."""
NEAR_BIAS = 0.15
"""Share by which the level may differ from that of a bias and still be taken for one."""
PATIENCE = 20
"""Optimizer steps before which nobody is blamed."""


def _collapsed(evidence: Evidence) -> Iterator[Measured]:
    """Look at the newest batches' latents: their spread over pictures, then their level."""
    spread, std = evidence.level("latent/batch_std"), evidence.level("latent/std")
    if evidence.last_step < PATIENCE or spread is None or std is None:
        return
    share, bias = spread / std if std else 0.0, _bias(evidence, std)
    if share < MIN_SPREAD:
        named = {
            **{"spread": spread, "std": std, "bias": f"; {bias}" if bias else ""},
            "to": " to the bias of their layer" if bias else "",
            "cause": ONLY_A_BIAS if bias else ANOTHER_CAUSE,
        }
        yield Measured(share, MIN_SPREAD, named, course=("latent/batch_std", "latent/std"))


def _bias(evidence: Evidence, std: float) -> str:
    """Return how the level gives a bias away: 1/sqrt(3 fan_in), and sqrt(3) of it at most."""
    expected, most = evidence.level("latent/std/bias"), evidence.level("latent/max")
    if expected is None or most is None or not std:
        return ""
    if not (_near(std, expected) and _near(most / std, math.sqrt(3))):
        return ""
    return (
        f"std {std:.4g} is 1/sqrt(3 fan_in) = {expected:.4g}, "
        f"max/std {most / std:.3f} is sqrt(3) = {math.sqrt(3):.3f}"
    )


def _near(value: float, expected: float) -> bool:
    return abs(value - expected) <= NEAR_BIAS * expected


ONLY_A_BIAS = (
    "The encoder says nothing (its last activation is dead, or its input is constant), so that the "
    "layer's bias is all that comes out."
)
ANOTHER_CAUSE = "A loss that a constant satisfies, or an encoder that no longer gets a gradient."
LATENTS_COLLAPSED = Rule(
    id="D12",
    name="collapsed latents",
    statement="The latents have collapsed{to}: of their standard deviation of {std:.4g} only "
    "{percent:.2g} % is between pictures.",
    formula="std of a number over pictures / std of all numbers = {spread:.3g} / {std:.3g}{bias}",
    null="0 where all pictures have one latent, about 1 where latents are random; mean, std, norm, "
    "least and greatest number can be the same in both",
    cause="{cause}",
    key="latent.head",
    remedy="use a head without a bias (places), keep the norm before it, and keep alignment above "
    "0; lower optimizer.learning_rate if it happened on the way.",
    next_measurement="latent/batch_std, latent/rankme and latent/cosine of the first 50 steps.",
    check=_collapsed,
)
