"""The pictures of a sweep's page: parallel coordinates, and the Pareto front."""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from markupsafe import Markup
from pydantic import JsonValue

from cinelex.doctor.charts import (
    MUTED,
    NULL,
    SERIES,
    SURFACE,
    inline_svg,
    new_axes,
    short,
    style,
    tick_shortly,
    titled,
)
from cinelex.sweeps.distributions import Distribution
from cinelex.sweeps.outcomes import Outcome
from cinelex.sweeps.plan import Metric

Drawn = Sequence[tuple[Outcome, str]]
"""Configurations with their kinds, as the legend calls them."""
_LINES: Mapping[str, Mapping[str, Any]] = {
    "ended early or unfinished": {
        **{"color": NULL, "linewidth": 1, "alpha": 0.5, "linestyle": (0, (2, 4))}
    },
    "complete": {"color": NULL, "linewidth": 1.3, "alpha": 0.45},
    "on the Pareto front": {"color": SERIES[0], "linewidth": 1.5, "alpha": 0.55},
    "default recipe": {"color": SERIES[1], "linewidth": 2.4, "linestyle": (0, (7, 4))},
    "winner": {"color": SERIES[0], "linewidth": 3},
}
"""How each kind is drawn, important ones last, which are drawn on top."""
_BESIDE: Mapping[str, Any] = {
    **{"xytext": (6, 0), "textcoords": "offset points"},
    **{"color": MUTED, "fontsize": 11, "va": "center"},
}
"""Where the ends of an axis are written, and how."""


def kinds_of(found: Sequence[Outcome], front: Collection[int], leader: Outcome | None) -> Drawn:
    """Return what each configuration is, in the order of drawing."""

    def kind(one: Outcome) -> str:
        if one.recipe == "default":
            return one.label
        if one.state != "complete":
            return "ended early or unfinished"
        if leader is not None and one.number == leader.number:
            return "winner"
        return "on the Pareto front" if one.number in front else "complete"

    order = list(_LINES)
    return sorted([(one, kind(one)) for one in found], key=lambda pair: order.index(pair[1]))


def parallel_coordinates(
    drawn: Drawn,
    parameters: Mapping[str, Distribution],
    metrics: Sequence[Metric],
    base: Mapping[str, JsonValue],
) -> Markup:
    """Draw a line for each configuration over all swept keys and all objectives.

    Args:
        drawn: Configurations, and the default recipe.
        parameters: The swept keys.
        metrics: The objectives, whose axes come last.
        base: What the default recipe has for each key; a key that it lacks interrupts its line.
    """
    names = [*parameters, *(metric.name for metric in metrics)]
    limits = {metric.name: _limits(drawn, metric) for metric in metrics}
    with style():
        figure, axis = new_axes(1060, 330)
        for one, kind in drawn:
            values = base if one.recipe == "default" else one.values
            heights = [
                parameters[k].position(values[k]) if k in values else None for k in parameters
            ]
            for name, (low, high) in limits.items():
                heights.append((one.value(name) - low) / (high - low) if one.scores else None)
            kept = [math.nan if height is None else height for height in heights]
            axis.plot(kept, **_LINES[kind], gid=titled(one.summary()))
        ends = {key: (parameters[key].ends()[0], parameters[key].ends()[-1]) for key in parameters}
        for number, (first, last) in enumerate([*ends.values(), *limits.values()]):
            axis.axvline(number, color=MUTED, linewidth=0.8, zorder=0)
            for height, end in ((0, first), (1, last)):
                axis.annotate(_end(end), (number, height), **_BESIDE)
        labels = [f"{name.split('/')[-1]}{chr(10) * (n % 2)}" for n, name in enumerate(names)]
        axis.set_xticks(range(len(names)), labels)
        axis.xaxis.tick_top()
        axis.set_yticks([])
        axis.grid(visible=False)
        axis.spines[:].set_visible(False)
        for shown in reversed(list(_LINES)):
            if shown in [kind for _, kind in drawn]:
                axis.plot([], [], **_LINES[shown], label=shown)
        figure.legend(loc="outside upper left", ncols=len(_LINES), handlelength=2.2)
        return inline_svg(figure, f"Parallel coordinates of {len(drawn)} configurations")


def pareto_chart(drawn: Drawn, metrics: Sequence[Metric]) -> Markup | None:
    """Draw the first objective over the second, or over the seconds of training.

    None before anything is complete.
    """
    done = [(one, kind) for one, kind in drawn if one.scores and one.seconds is not None]
    if not done:
        return None
    first = metrics[0].name
    second = metrics[1].name if len(metrics) > 1 else None
    with style():
        figure, axis = new_axes(560, 330)
        for one, kind in done:
            dot = {key: _LINES[kind].get(key) for key in ("color", "alpha")}
            dot["markersize"] = 13 if kind in ("winner", "default recipe") else 9
            x, y = one.value(second) if second else one.seconds, one.value(first)
            axis.plot(x, y, "o", **dot, mec=SURFACE, gid=titled(one.summary()))
        tick_shortly(axis)
        axis.margins(0.08)
        axis.set_xlabel(second or "seconds of training")
        axis.set_title(first, loc="left", fontsize=12, color=MUTED)
        return inline_svg(figure, f"{first} against {second or 'seconds of training'}")


def _limits(drawn: Drawn, metric: Metric) -> tuple[float, float]:
    values = [one.value(metric.name) for one, _ in drawn if one.scores]
    low, high = min(values, default=0.0), max(values, default=1.0)
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _end(value: JsonValue) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return short(float(value))
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 18 else f"{text[:17]}…"
