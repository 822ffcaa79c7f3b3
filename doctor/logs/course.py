"""What can be claimed about the course of one metric from its points alone."""

import math
from collections.abc import Iterator

import numpy as np

from cinelex.doctor.logs.entry import Entry, Question, Verdict, number
from cinelex.doctor.logs.metric import Metric
from cinelex.doctor.logs.names import direction
from cinelex.metrics.series import Points
from cinelex.metrics.series.change_points import FEWEST_POINTS, ChangePoint, change_points
from cinelex.metrics.series.level import Change, level_change
from cinelex.metrics.series.outliers import THRESHOLD, early_share, spikes
from cinelex.metrics.series.trend import theil_sen

_MATERIAL = 0.01
"""A change below this share of the first level is none, whatever its sign."""
_SETTLED = 0.05
"""What moves by less than this share of its range has settled."""
_RANGE = (0.01, 0.99)
_LATE = 0.25
FEWEST_LATE = 8
_FEWEST_FOR_SPIKES = 50
_EARLY = 0.5
_CLAIMS = {-1: "falls over the run", 0: "changes over the run", 1: "rises over the run"}


def course_entries(metric: Metric) -> Iterator[Entry]:
    """Yield what can be said of one metric: change, rest, jumps, spikes, and how early it moved.

    Of a handful of points nothing but the change is asked.
    """
    change = level_change(metric.values)
    yield _changes(metric, change)
    if len(metric.values) < FEWEST_POINTS:
        return
    yield _settles(metric)
    yield _jumps(metric)
    yield _spikes(metric)
    yield _early(metric, change)


def window_text(metric: Metric, first: int = 0) -> str:
    """Return the steps from a point on, with the number of points."""
    steps = metric.steps[first:]
    return f"steps {steps[0]:g} to {steps[-1]:g}, {len(steps)} points"


def last_quarter(metric: Metric) -> tuple[Points, Points]:
    """Return steps and values of the last quarter of the steps."""
    reached = metric.steps[-1] - _LATE * (metric.steps[-1] - metric.steps[0])
    start = int(np.searchsorted(metric.steps, reached))
    return metric.steps[start:], metric.values[start:]


def _changes(metric: Metric, change: Change) -> Entry:
    wanted = direction(metric.name)
    verdict, reason = _judge_change(change, wanted, start=float(metric.values[0]))
    return Question(
        run=metric.run,
        metric=metric.name,
        claim=_CLAIMS[wanted],
        window=f"first against last 5 % of {window_text(metric)}",
        estimator="difference of medians, circular block bootstrap",
        null="0: no change",
    ).answer(
        verdict, reason, value=change.value, interval=change.interval if change.testable else None
    )


def _judge_change(change: Change, wanted: int, *, start: float) -> tuple[Verdict, str]:
    span = f"from {number(change.first.value)} (first point {number(start)}) to "
    span += number(change.last.value)
    if not change.testable:
        fewest = min(change.first.points, change.last.points)
        return "not testable", (
            f"It goes {span}, but 5 % of the points are {fewest}, too few independent ones for an "
            "interval."
        )
    low, high = change.interval
    text = f"It goes {span}, a change between {number(low)} and {number(high)}."
    if change.borrowed:
        text += " The start moves too fast for noise of its own, so the end's was taken."
    if (wanted <= 0 and high < 0) or (wanted >= 0 and low > 0):
        return "supported", text
    favourable = {-1: -low, 0: max(-low, high), 1: high}[wanted]
    if favourable < _MATERIAL * abs(change.first.value):
        return "contradicted", (
            f"{text} Even the end of the interval that favours it is less than "
            f"{_MATERIAL:.0%} of the first level."
        )
    return "not testable", f"{text} That does not exclude 0."


def _settles(metric: Metric) -> Entry:
    steps, values = last_quarter(metric)
    question = Question(
        run=metric.run,
        metric=metric.name,
        claim="has settled in the last quarter",
        window=window_text(metric, len(metric.steps) - len(steps)),
        estimator="Theil-Sen slope times window, Hamed-Rao interval",
        null="0: at rest",
    )
    if len(steps) < FEWEST_LATE:
        reason = f"The last quarter has {len(steps)} points; {FEWEST_LATE} are needed."
        return question.answer("not testable", reason)
    trend = theil_sen(steps, values)
    length = float(steps[-1] - steps[0])
    value, low, high = trend.slope * length, trend.low * length, trend.high * length
    allowed = _SETTLED * float(np.ptp(np.quantile(metric.values, _RANGE)))
    text = (
        f"It moves by {number(value)} ({number(low)} to {number(high)}) in the last quarter, where "
        f"{_SETTLED:.0%} of its range is {number(allowed)}."
    )
    verdict: Verdict = "not testable"
    if not trend.testable:
        text = f"Only {trend.effective:.1f} independent points in the last quarter. {text}"
    elif max(abs(low), abs(high)) <= allowed:
        verdict = "supported"
    elif low > allowed or high < -allowed:
        verdict = "contradicted"
    elif low <= 0 <= high:
        text = f"{text} Rest and motion both fit."
    interval = (low, high) if trend.testable else None
    return question.answer(verdict, text, value=value, interval=interval)


def _jumps(metric: Metric) -> Entry:
    question = Question(
        run=metric.run,
        metric=metric.name,
        claim="has no abrupt change",
        window=window_text(metric),
        estimator="piecewise lines by binary segmentation, Bai's interval for a jump's place",
        null="one straight line, autocorrelated noise",
    )
    changes = change_points(metric.steps, metric.values)
    jumps = [change for change in changes if not math.isnan(change.low)]
    bends = [change for change in changes if math.isnan(change.low)]
    bent = ", ".join(f"{bend.step:g}" for bend in bends)
    aside = f" It bends without a jump near step {bent}." if bends else ""
    if not jumps:
        return question.answer("supported", f"No jump stands out of the noise.{aside}")
    largest = max(jumps, key=lambda jump: abs(jump.jump))
    reason = "; ".join(_jump_text(jump) for jump in jumps)
    return question.answer(
        "contradicted",
        f"{reason}.{aside}",
        value=largest.step,
        interval=(largest.low, largest.high),
    )


def _jump_text(jump: ChangePoint) -> str:
    return (
        f"Jumps by {number(jump.jump)} after step {jump.step:g} (95 %: {jump.low:g} to "
        f"{jump.high:g})"
    )


def _spikes(metric: Metric) -> Entry:
    found = spikes(metric.steps, metric.values)
    question = Question(
        run=metric.run,
        metric=metric.name,
        claim="has no spikes",
        window=window_text(metric),
        estimator=f"points over {THRESHOLD:g} MAD off the running median of 15",
        null=f"{found.expected:.2g} expected of normal noise",
    )
    count = len(metric.values)
    if count < _FEWEST_FOR_SPIKES:
        return question.answer("not testable", f"{count} points; {_FEWEST_FOR_SPIKES} are needed.")
    broken = f" {metric.broken} values were NaN or infinite." if metric.broken else ""
    shown = ", ".join(f"{step:g}" for step in found.steps[:5])
    more = " and others" if len(found.steps) > 5 else ""
    where = f": steps {shown}{more}" if shown else ""
    verdict: Verdict = "contradicted" if found.steps or metric.broken else "supported"
    reason = f"{len(found.steps)} points{where}.{broken}"
    if verdict == "supported" and metric.bucketed:
        verdict, reason = "not testable", "The export holds averages over buckets, which hide them."
    return question.answer(verdict, reason, value=float(len(found.steps)))


def _early(metric: Metric, change: Change) -> Entry:
    question = Question(
        run=metric.run,
        metric=metric.name,
        claim="its change is spread over the run",
        window=f"first 1 % of {window_text(metric)}",
        estimator="share of the way from the first value to the last level",
        null="0.01: a steady course",
    )
    share = early_share(metric.steps, metric.values, last_level=change.last.value)
    if share is None:
        reason = "Too few points in the first 1 %, or the way is no longer than noise is wide."
        return question.answer("not testable", reason)
    verdict: Verdict = "contradicted" if share > _EARLY else "supported"
    reason = f"{share:.0%} of the way was done in the first 1 % of the steps."
    return question.answer(verdict, reason, value=share)
