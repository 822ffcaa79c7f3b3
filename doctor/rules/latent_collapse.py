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


def _collapsed(evidence: Evidence, *, to_bias: bool) -> Iterator[Measured]:
    """Look at the newest batches' latents: their spread over pictures, then their level."""
    names = {"spread": "batch_std", "std": "std", "expected": "std/bias", "most": "max"}
    level = {name: evidence.level(f"latent/{key}") for name, key in names.items()}
    spread, std = level["spread"], level["std"]
    if evidence.last_step < PATIENCE or spread is None or std is None:
        return
    share = spread / std if std else 0.0
    if share < MIN_SPREAD and to_bias == _is_bias(std, level["expected"], level["most"]):
        named = {**level, "ratio": (level["most"] or 0.0) / std if std else 0.0}
        yield Measured(share, MIN_SPREAD, named, course=("latent/batch_std", "latent/std"))


def _is_bias(std: float, expected: float | None, most: float | None) -> bool:
    """Return whether the level gives a bias away: 1/sqrt(3 fan_in), and sqrt(3) of it at most."""
    if expected is None or most is None or not std:
        return False
    return _near(std, expected) and _near(most / std, math.sqrt(3))


def _near(value: float, expected: float) -> bool:
    return abs(value - expected) <= NEAR_BIAS * expected


_NULL = (
    "0 where all pictures have one latent, about 1 where latents are random; mean, std, norm, "
    "least and greatest number can be the same in both"
)
_REMEDY = (
    "use a head without a bias (places), keep the norm before it, and keep alignment above 0; "
    "lower optimizer.learning_rate if it happened on the way."
)
_NEXT = "latent/batch_std, latent/rankme and latent/cosine of the first 50 steps."

LATENTS_COLLAPSED = Rule(
    id="D12",
    name="collapsed latents",
    statement="The latents have collapsed: of their standard deviation of {std:.4g} only "
    "{percent:.2g} % is between pictures.",
    formula="std of a number over pictures / std of all numbers = {spread:.3g} / {std:.3g}",
    null=_NULL,
    cause="A loss that a constant satisfies, or an encoder that no longer gets a gradient.",
    key="latent.head",
    remedy=_REMEDY,
    next_measurement=_NEXT,
    check=lambda evidence: _collapsed(evidence, to_bias=False),
)
LATENTS_ARE_A_BIAS = Rule(
    id="D12",
    name="latents that are a bias",
    statement="The latents have collapsed to the bias of their layer: of their standard deviation "
    "of {std:.4g} only {percent:.2g} % is between pictures.",
    formula="std of a number over pictures / std of all numbers = {spread:.3g} / {std:.3g}; std "
    "{std:.4g} is 1/sqrt(3 fan_in) = {expected:.4g}, max/std {ratio:.3f} is sqrt(3) = 1.732",
    null=_NULL,
    cause="The encoder says nothing (its last activation is dead, or its input is constant), so "
    "that the layer's bias is all that comes out.",
    key="latent.head",
    remedy=_REMEDY,
    next_measurement=_NEXT,
    check=lambda evidence: _collapsed(evidence, to_bias=True),
)
