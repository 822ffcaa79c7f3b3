"""D2: is as much of each tower frozen as was asked for?"""

from collections.abc import Iterator

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.rules.rule import Measured, Rule

MAX_OFF = 0.25
"""Difference between the share that is frozen and the share that was asked for; whole tensors are
frozen, so that the shares are never quite equal."""


def _unlike(evidence: Evidence) -> Iterator[Measured]:
    for tower in ("video", "text"):
        fact = f"model/frozen/{tower}_encoder"
        frozen, asked = (evidence.diagnostics.get(name) for name in (fact, f"{fact}/asked"))
        if frozen is not None and asked is not None and abs(frozen - asked) > MAX_OFF:
            yield Measured(frozen, asked, {"tower": tower, "asked": 100 * asked})


FROZEN_SHARE = Rule(
    id="D2",
    name="frozen shares",
    statement="{percent:.0f} % of the {tower} encoder's parameters are frozen and {asked:.0f} % "
    "were asked for.",
    formula="frozen parameters / all parameters of the tower, counted in numbers",
    null="0 freezes nothing, 1 everything",
    cause="The share was read as the share that trains, or one tensor is larger than it.",
    key="model.{tower}_freeze_ratio",
    remedy="give it the share that is to be frozen; {value:.2f} is what runs now.",
    next_measurement="The number of trainable parameters, which the run prints.",
    check=_unlike,
)
