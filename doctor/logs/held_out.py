"""What can be claimed about data that the training did not see; nothing, without such a column."""

import math
from collections.abc import Iterator, Mapping

import numpy as np

from cinelex.doctor.logs.course import window_text
from cinelex.doctor.logs.entry import Entry, Question, Verdict, number
from cinelex.doctor.logs.metric import Metric
from cinelex.doctor.logs.names import chance_of, direction, held_out, without_nulls
from cinelex.metrics.series.level import level_change
from cinelex.metrics.series.trend import FEWEST_INDEPENDENT, Ranking, ranking

_FEWEST = 5
_SIGNIFICANT = 0.05
_SIGNIFICANT_AFTER_BEST = 0.01
"""Stricter, because the window begins where the metric happened to be best."""


def held_out_entries(run: str, metrics: Mapping[str, Metric]) -> Iterator[Entry]:
    """Yield the claim that the run generalises, for each held-out metric; else that none exists."""
    own = without_nulls(metrics)
    found = [metric for name, metric in own.items() if held_out(name) and direction(name)]
    if not found:
        yield Question(
            run=run, metric="(none)", claim="the run generalises", window="none", estimator="none"
        ).answer("not testable", "No column of these files was measured on held-out data.")
    for metric in found:
        yield _generalises(metric)
    for name, metric in own.items():
        chance = chance_of(name, metrics)
        if chance is not None and direction(name):
            yield _above_chance(metric, chance)


def _generalises(metric: Metric) -> Entry:
    values = metric.values * direction(metric.name)
    question = Question(
        run=metric.run,
        metric=metric.name,
        claim="the run generalises: this improves on held-out data",
        window=window_text(metric),
        estimator="Kendall's tau with the step, Hamed-Rao variance",
        null="0: as often worse as better",
    )
    span = f"It goes from {number(metric.values[0])} to {number(metric.values[-1])}"
    if len(values) < _FEWEST:
        reason = f"{span} in {len(values)} validations; {_FEWEST} are needed."
        return question.answer("not testable", reason)
    whole, best = ranking(values), int(np.argmax(values))
    # the best point itself is above all that follow, whether or not these fall
    since = ranking(values[best + 1 :]) if len(values) - best > _FEWEST else None
    if since is not None and _worse(since):
        reason = (
            f"Best at step {metric.steps[best]:g} ({number(metric.values[best])}), worse since "
            f"then (tau {since.tau:.2f}, p {since.p_value:.2g}), {number(metric.values[-1])} at "
            "the end."
        )
        return question.answer("contradicted", reason, value=whole.tau)
    reason = f"{span}; tau {whole.tau:.2f} towards better, p {whole.p_value:.2g}."
    verdict: Verdict = "not testable"
    if not whole.testable:
        reason = (
            f"{span}, but the {len(values)} validations hold {whole.effective:.1f} independent "
            f"ones; {FEWEST_INDEPENDENT:g} are needed."
        )
    elif whole.p_value < _SIGNIFICANT:
        verdict = "supported" if whole.tau > 0 else "contradicted"
    return question.answer(verdict, reason, value=whole.tau)


def _worse(since: Ranking) -> bool:
    return since.testable and since.tau < 0 and since.p_value < _SIGNIFICANT_AFTER_BEST


def _above_chance(metric: Metric, chance: Metric) -> Entry:
    level, null = level_change(metric.values).last, float(chance.values[-1])
    question = Question(
        run=metric.run,
        metric=metric.name,
        claim="ends better than chance",
        window=f"last 5 % of {window_text(metric)}",
        estimator="median, block bootstrap",
        null=f"{number(null)}: chance",
    )
    if math.isnan(level.error):
        reason = f"It ends at {number(level.value)}, with too few points for an interval."
        return question.answer("not testable", reason, value=level.value)
    gains = sorted((bound - null) * direction(metric.name) for bound in level.interval)
    verdict: Verdict = "not testable"
    if gains[0] > 0:
        verdict = "supported"
    elif gains[1] < 0.01 * abs(null):
        verdict = "contradicted"
    low, high = level.interval
    reason = f"It ends between {number(low)} and {number(high)}; chance is {number(null)}."
    return question.answer(verdict, reason, value=level.value, interval=level.interval)
