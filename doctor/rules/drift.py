"""N10: are held-out studies like those of training, and later where the split is by time?"""

from collections.abc import Iterator
from functools import partial

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.rules.rule import Measured, Rule

MAX_P = 0.01
"""Corrected over the attributes that were asked."""
MAX_DISTANCE = 0.15
"""Between shares; less is seen in a large set and moves no score."""


def _drifted(evidence: Evidence) -> Iterator[Measured]:
    found = evidence.diagnostics.get("data/drift", {})
    far = {n: d for n, (d, p) in found.items() if p <= MAX_P and d > MAX_DISTANCE}
    if far:
        worst = max(far, key=lambda name: far[name])
        others = f" and {len(far) - 1} more" if len(far) > 1 else ""
        yield Measured(far[worst], MAX_DISTANCE, {"worst": worst, "others": others})


def _overlapping(evidence: Evidence) -> Iterator[Measured]:
    share = evidence.diagnostics.get("data/dates_overlap", 0.0)
    if share > 0:
        yield Measured(share, 0.0)


_rule = partial(Rule, id="N10")
DRIFTED = _rule(
    name="splits that differ",
    severity="note",
    statement="Held-out studies differ from those of training in {worst}{others}: their shares are "
    "{percent:.0f} % apart.",
    formula="half the sum of differences of shares (a number counts by the median of all); "
    "p <= 0.01 over random splits of the patients, corrected for how many attributes were asked",
    null="a random split of the same patients",
    cause="The split is by site, machine or time, or was drawn over files.",
    key="data.columns.split",
    remedy="nothing if the test is meant to be of another site or time (say so with the score); "
    "otherwise split by patient (data.split_by_patient).",
    next_measurement="The score in each subgroup, which the page shows.",
    check=_drifted,
)
DATES_OVERLAP = _rule(
    name="a split by time that overlaps",
    severity="warning",
    statement="Held-out studies mostly come after the training studies, yet {percent:.1f} % of "
    "them are dated before the last training study.",
    formula="held-out studies dated before the last training study / held-out studies with a date",
    null="0 for a split at one date",
    cause="Studies came in later, or a patient's later studies pulled the earlier ones along.",
    key="data.columns.split",
    remedy="split at one date, or do not call the split temporal.",
    next_measurement="The same share by site.",
    check=_overlapping,
)
