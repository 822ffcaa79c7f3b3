"""D19: do videos arrive, and in time?"""

from collections.abc import Iterator

from cinelex.doctor.evidence import WINDOW, Evidence
from cinelex.doctor.finding import Finding

RULE = "D19"
MAX_REFUSED = 0.01
"""Share of the videos that no decoder could read."""
MAX_WAITING = 0.3
"""Share of a step's time that may pass waiting for its batch."""


def loader(evidence: Evidence) -> Iterator[Finding]:
    """Look at the videos that were refused, and at the time that steps waited for data."""
    refused = evidence.diagnostics.get("data/refused_videos")
    if refused is not None and refused > MAX_REFUSED:
        yield Finding(
            rule=RULE,
            severity="warning",
            statement=f"{100 * refused:.1f} % of the videos could not be decoded and were dropped.",
            measured=refused,
            threshold=MAX_REFUSED,
            formula="videos in rejects.csv / videos in the manifest",
            null="0; a copied archive loses a few in ten thousand",
            cause="Files were cut off in copying, or are of a kind that the decoder does not read.",
            key="data.decoder",
            remedy="read the reasons in rejects.csv; copy those files again.",
            next_measurement="The share by reason and by folder.",
        )
    waits, steps = evidence.course("wait_ms")[-WINDOW:], evidence.course("step_ms")[-WINDOW:]
    if len(waits) < WINDOW or len(steps) < WINDOW:
        return
    waiting = sum(ms for _, ms in waits) / max(1e-9, sum(ms for _, ms in steps))
    if waiting > MAX_WAITING:
        yield Finding(
            rule=RULE,
            severity="warning",
            statement=f"{100 * waiting:.0f} % of the time of a step passes waiting for its batch.",
            measured=waiting,
            threshold=MAX_WAITING,
            formula=f"sum of wait_ms / sum of step_ms over the newest {WINDOW} steps",
            null="0 where batches are made ahead",
            cause="Batches are made slower than the model takes them.",
            key="data.workers",
            remedy="raise it, or store smaller or fewer frames.",
            next_measurement="wait_ms with twice the workers.",
            course=("wait_ms", "step_ms"),
        )
