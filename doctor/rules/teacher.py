"""N13: does the teacher of masked modelling tell clips apart, and is it not its own student?"""

from collections.abc import Iterator, Sequence
from functools import partial
from statistics import median

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.rules.rule import Measured, Rule

SPREAD, DISTANCE, LOSS = "teacher/spread", "teacher/distance", "loss/masked_modeling"
MIN_SPREAD = 0.25
"""Share of the fresh model's that must be left."""
WINDOWS = 10
"""Equal parts of the record, whose medians are compared."""
MIN_RISE, MAX_LEFT = 1.15, 0.7
"""How far a loss rises above its least before, and what is left of its peak and of the spread."""
LOOKS = 20
"""Newest steps in which a distance of 0 is no accident."""


def _collapsed(evidence: Evidence) -> Iterator[Measured]:
    known = evidence.course(SPREAD)
    now = evidence.level(SPREAD)
    if evidence.young or now is None or known[0][1] <= 0:
        return
    share = now / known[0][1]
    if share < MIN_SPREAD:
        yield Measured(share, MIN_SPREAD, _beside(evidence), course=(SPREAD,), line=known[0][1])


def _fell_after_a_rise(evidence: Evidence) -> Iterator[Measured]:
    rows = [row for row in evidence.steps if SPREAD in row and LOSS in row]
    if evidence.young or len(rows) < 2 * WINDOWS:
        return
    losses, spreads = (_medians([float(row[key]) for row in rows]) for key in (LOSS, SPREAD))
    peak = max(range(WINDOWS), key=losses.__getitem__)
    if peak == 0 or spreads[peak] <= 0:
        return
    rose = losses[peak] >= MIN_RISE * min(losses[:peak])
    left = spreads[-1] / spreads[peak]
    if rose and losses[-1] <= MAX_LEFT * losses[peak] and left <= MAX_LEFT:
        named = {"peak": losses[peak], "now": losses[-1], **_beside(evidence)}
        yield Measured(left, MAX_LEFT, named, course=(LOSS, SPREAD))


def _is_its_student(evidence: Evidence) -> Iterator[Measured]:
    distances = [value for step, value in evidence.course(DISTANCE) if step > 1][-LOOKS:]
    moved = [row for row in evidence.steps if row.get("learning_rate") and not row.get("skipped")]
    at_rest = evidence.diagnostics.get("model/frozen/video_encoder") == 1
    if len(distances) == LOOKS and len(moved) > LOOKS and not at_rest and not any(distances):
        yield Measured(0.0, 0.0, course=(DISTANCE,))


def _medians(values: Sequence[float]) -> list[float]:
    """Return the median of each of ``WINDOWS`` equal parts, in order."""
    edges = [len(values) * part // WINDOWS for part in range(WINDOWS + 1)]
    return [median(values[a:b]) for a, b in zip(edges, edges[1:], strict=False)]


def _beside(evidence: Evidence) -> dict[str, float]:
    return {"distance": evidence.level(DISTANCE) or 0.0}


_rule = partial(
    Rule,
    id="N13",
    key="masked_modeling.ema",
    next_measurement="teacher/spread and teacher/distance over the steps, beside the ratio to "
    "predicting the mean of held-out clips.",
)
COLLAPSED_TARGETS = _rule(
    name="targets that are the same for every clip",
    statement="The teacher's tokens of different clips differ by only {percent:.0f} % of what "
    "they did in the untrained model; the distance of student and teacher is {distance:.2g} "
    "of its norm.",
    formula="squared error of the mean of the other clips at each place, of tokens with variance "
    "1; median of the newest steps over the first",
    null="the fresh model's",
    cause="Student and teacher agree on an output that does not depend on the clip: the loss "
    "falls and nothing is learned.",
    remedy="bring it nearer to 1 (start: 0.996), give masked modelling less weight, or set "
    "masked_modeling.target=pixels.",
    check=_collapsed,
)
FELL_AFTER_A_RISE = _rule(
    name="a loss of latents that rose and fell with its targets",
    severity="warning",
    statement="The loss rose to {peak:.3g} and fell to {now:.3g} while the spread of the targets "
    "fell to {percent:.0f} % of what it was at the peak; student and teacher are {distance:.2g} "
    "apart.",
    formula="medians of ten equal parts of the record",
    null="a spread that stays while the loss falls",
    cause="The loss falls because its targets collapse, not because they are predicted.",
    remedy="bring it nearer to 1, or give masked modelling less weight.",
    check=_fell_after_a_rise,
)
NO_TEACHER = _rule(
    name="a teacher that is its student",
    severity="warning",
    statement="The teacher's weights are the student's to the last bit, in each of the last "
    f"{LOOKS} steps.",
    formula="|student - teacher| / |teacher|, all weights of the video encoder",
    null="above 0 where the student moves",
    cause="The share of the teacher's weights that a step leaves is 0, so that the targets move "
    "with every step and nothing keeps them from becoming alike.",
    remedy="set {{start: 0.99, end: 1.0}}.",
    check=_is_its_student,
)
