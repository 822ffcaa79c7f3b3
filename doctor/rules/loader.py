"""D19: do batches arrive in time?"""

from collections.abc import Iterator

from cinelex.doctor.evidence import WINDOW, Evidence
from cinelex.doctor.rules.rule import Measured, Rule

MAX_WAITING = 0.3
"""Share of a step's time that may pass waiting for its batch."""


def _waiting(evidence: Evidence) -> Iterator[Measured]:
    waits, steps = (
        [ms for _, ms in evidence.course(key)[-WINDOW:]] for key in ("wait_ms", "step_ms")
    )
    if min(len(waits), len(steps)) < WINDOW:
        return
    share = sum(waits) / max(1e-9, sum(steps))
    if share > MAX_WAITING:
        yield Measured(share, MAX_WAITING, course=("wait_ms", "step_ms"))


LOADER = Rule(
    id="D19",
    name="waiting for batches",
    severity="warning",
    statement="{percent:.0f} % of the step time is spent waiting for batches.",
    formula=f"sum of wait_ms / sum of step_ms over the newest {WINDOW} steps",
    null="0 where batches are made ahead",
    cause="Batches are prepared more slowly than the model consumes them.",
    key="data.workers",
    remedy="raise it, or store smaller or fewer frames.",
    next_measurement="wait_ms with twice the workers.",
    check=_waiting,
)
