"""Parallel coordinates and the Pareto front as plain geometry; the template draws them as SVG."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from cinelex.doctor.report.plots import nice_ticks, short
from cinelex.sweeps.distributions import Distribution
from cinelex.sweeps.outcomes import Outcome
from cinelex.sweeps.plan import Metric

Kind = Literal["trial", "front", "winner", "default", "pruned"]
WIDTH, HEIGHT = 1060, 330
LEFT, RIGHT, TOP, BOTTOM = 80, 980, 46, 296
SCATTER_WIDTH, SCATTER_HEIGHT = 560, 330
SCATTER = (58, 540, 16, 286)
"""Left, right, top and bottom of the plotted area of the Pareto front."""


@dataclass(frozen=True)
class Axis:
    """One vertical axis of the parallel coordinates."""

    x: float
    label: str
    top: str
    bottom: str
    """The values at its ends."""


@dataclass(frozen=True)
class Trace:
    """One configuration."""

    kind: Kind
    path: str
    title: str


@dataclass(frozen=True)
class Parallel:
    """Every configuration as a line over all swept keys and all objectives."""

    axes: tuple[Axis, ...]
    traces: tuple[Trace, ...]
    size: tuple[int, int] = (WIDTH, HEIGHT)
    span: tuple[int, int] = (TOP, BOTTOM)


@dataclass(frozen=True)
class Dot:
    """One configuration in the plane of two numbers."""

    x: float
    y: float
    kind: Kind
    title: str


@dataclass(frozen=True)
class Scatter:
    """Two numbers of every configuration; the front is what none beats in both."""

    x_label: str
    y_label: str
    dots: tuple[Dot, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    size: tuple[int, int] = (SCATTER_WIDTH, SCATTER_HEIGHT)
    frame: tuple[int, int, int, int] = SCATTER


def parallel_coordinates(
    found: Sequence[Outcome],
    parameters: Mapping[str, Distribution],
    metrics: Sequence[Metric],
    kinds: Mapping[int, Kind],
    base: Mapping[str, JsonValue],
) -> Parallel:
    """Lay out a line for each configuration that has values, the important ones on top.

    Args:
        found: Configurations, and the default recipe.
        parameters: The swept keys.
        metrics: The objectives, whose axes come last.
        kinds: How the search's configurations are drawn, by their number.
        base: What the default recipe has for each key; a key that it lacks interrupts its line.
    """
    names = [*parameters, *(metric.name for metric in metrics)]
    places = [LEFT + (RIGHT - LEFT) * n / max(1, len(names) - 1) for n in range(len(names))]
    limits = {metric.name: _limits(found, metric) for metric in metrics}
    axes = [
        _axis(x, key, parameters[key].ends()) for x, key in zip(places, parameters, strict=False)
    ]
    axes += [
        Axis(x, metric.name, short(limits[metric.name][1]), short(limits[metric.name][0]))
        for x, metric in zip(places[len(parameters) :], metrics, strict=True)
    ]
    traces = []
    for one in found:
        kind: Kind = "default" if one.recipe == "default" else kinds[one.ticket]
        values = base if one.recipe == "default" else one.values
        heights = [parameters[k].place(values[k]) if k in values else None for k in parameters]
        heights += [_height(one, metric.name, limits[metric.name]) for metric in metrics]
        traces.append(Trace(kind, _path(places, heights), title(one)))
    order = ("pruned", "trial", "front", "default", "winner")
    traces.sort(key=lambda trace: order.index(trace.kind))
    return Parallel(tuple(axes), tuple(trace for trace in traces if trace.path))


def _axis(x: float, key: str, ends: Sequence[JsonValue]) -> Axis:
    return Axis(x, key, _end(ends[-1]), _end(ends[0]))


def _end(value: JsonValue) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return short(float(value))
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 18 else f"{text[:17]}…"


def _limits(found: Sequence[Outcome], metric: Metric) -> tuple[float, float]:
    values = [one.scores[metric.name].value for one in found if one.state == "complete"]
    low, high = min(values, default=0.0), max(values, default=1.0)
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _height(one: Outcome, name: str, limits: tuple[float, float]) -> float | None:
    if name not in one.scores:
        return None
    return (one.scores[name].value - limits[0]) / (limits[1] - limits[0])


def _path(places: Sequence[float], heights: Sequence[float | None]) -> str:
    """Return an SVG path through the known heights, interrupted where one is missing."""
    path, drawing = [], False
    for x, height in zip(places, heights, strict=True):
        if height is None:
            drawing = False
            continue
        y = BOTTOM - min(1.04, max(-0.04, height)) * (BOTTOM - TOP)
        path.append(f"{'L' if drawing else 'M'}{x:.1f} {y:.1f}")
        drawing = True
    return "".join(path)


def title(one: Outcome) -> str:
    """Return what a configuration is and how it did, as one line."""
    values = ", ".join(f"{key} {_end(value)}" for key, value in one.values.items())
    scores = ", ".join(f"{name} {short(score.value)}" for name, score in one.scores.items())
    return f"{one.label}: {'; '.join(part for part in (scores or one.state, values) if part)}"


def pareto_chart(
    found: Sequence[Outcome], metrics: Sequence[Metric], kinds: Mapping[int, Kind]
) -> Scatter | None:
    """Lay out the second objective, or the seconds of training, against the first.

    None before anything is complete.
    """
    complete = [one for one in found if one.state == "complete" and one.seconds is not None]
    if not complete:
        return None
    first = metrics[0].name
    second = metrics[1].name if len(metrics) > 1 else None
    ys = [one.scores[first].value for one in complete]
    xs = [one.scores[second].value if second else one.seconds or 0.0 for one in complete]
    left, right, top, bottom = SCATTER
    x_low, x_high = _padded(xs)
    y_low, y_high = _padded(ys)

    def across(x: float) -> float:
        return left + (x - x_low) / (x_high - x_low) * (right - left)

    def up(y: float) -> float:
        return bottom - (y - y_low) / (y_high - y_low) * (bottom - top)

    dots = [
        Dot(
            across(x),
            up(y),
            "default" if one.recipe == "default" else kinds[one.ticket],
            title(one),
        )
        for one, x, y in zip(complete, xs, ys, strict=True)
    ]
    return Scatter(
        second or "seconds of training",
        first,
        tuple(dots),
        tuple((across(tick), short(tick)) for tick in nice_ticks(x_low, x_high)),
        tuple((up(tick), short(tick)) for tick in nice_ticks(y_low, y_high)),
    )


def _padded(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = 0.08 * (high - low) or abs(high) * 0.1 or 1.0
    assert math.isfinite(margin)
    return low - margin, high + margin
