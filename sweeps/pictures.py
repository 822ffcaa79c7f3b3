"""The pictures of a sweep's page: parallel coordinates, and the Pareto front."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

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

Kind = Literal["pruned", "trial", "front", "default", "winner"]
_LINES: Mapping[Kind, Mapping[str, Any]] = {
    "pruned": {"color": NULL, "linewidth": 1, "alpha": 0.5, "linestyle": (0, (2, 4))},
    "trial": {"color": NULL, "linewidth": 1.3, "alpha": 0.45},
    "front": {"color": SERIES[0], "linewidth": 1.5, "alpha": 0.55},
    "default": {"color": SERIES[1], "linewidth": 2.4, "linestyle": (0, (7, 4))},
    "winner": {"color": SERIES[0], "linewidth": 3},
}
"""Important ones last, which are drawn on top."""
_BESIDE: Mapping[str, Any] = {
    **{"xytext": (6, 0), "textcoords": "offset points"},
    **{"color": MUTED, "fontsize": 11, "va": "center"},
}
"""Where the ends of an axis are written, and how."""
_NAMES: Mapping[Kind, str] = {
    "pruned": "ended early or unfinished",
    "trial": "complete",
    "front": "on the Pareto front",
    "default": "default recipe",
    "winner": "winner",
}


def parallel_coordinates(
    found: Sequence[Outcome],
    parameters: Mapping[str, Distribution],
    metrics: Sequence[Metric],
    kinds: Mapping[int, Kind],
    base: Mapping[str, JsonValue],
) -> Markup:
    """Draw a line for each configuration over all swept keys and all objectives.

    Args:
        found: Configurations, and the default recipe.
        parameters: The swept keys.
        metrics: The objectives, whose axes come last.
        kinds: How the search's configurations are drawn, by their number.
        base: What the default recipe has for each key; a key that it lacks interrupts its line.
    """
    names = [*parameters, *(metric.name for metric in metrics)]
    limits = {metric.name: _limits(found, metric) for metric in metrics}
    with style():
        figure, axis = new_axes(1060, 330)
        for one in _on_top_last(found, kinds):
            values = base if one.recipe == "default" else one.values
            heights = [
                parameters[k].position(values[k]) if k in values else None for k in parameters
            ]
            heights += [_height(one, metric.name, limits[metric.name]) for metric in metrics]
            kept = [math.nan if h is None else min(1.04, max(-0.04, h)) for h in heights]
            axis.plot(kept, **_LINES[_kind(one, kinds)], gid=titled(_about(one)))
        ends = {key: (parameters[key].ends()[0], parameters[key].ends()[-1]) for key in parameters}
        for number, (low, high) in enumerate([*ends.values(), *limits.values()]):
            axis.axvline(number, color=MUTED, linewidth=0.8, zorder=0)
            for height, end in ((0, low), (1, high)):
                axis.annotate(_end(end), (number, height), **_BESIDE)
        labels = [f"{name.split('/')[-1]}{chr(10) * (n % 2)}" for n, name in enumerate(names)]
        axis.set_xticks(range(len(names)), labels)
        axis.xaxis.tick_top()
        axis.set_yticks([])
        axis.grid(visible=False)
        axis.spines[:].set_visible(False)
        _legend(figure, axis, [_kind(one, kinds) for one in found])
        return inline_svg(figure, f"Parallel coordinates of {len(found)} configurations")


def pareto_chart(
    found: Sequence[Outcome], metrics: Sequence[Metric], kinds: Mapping[int, Kind]
) -> Markup | None:
    """Draw the first objective over the second, or over the seconds of training.

    None before anything is complete.
    """
    complete = [one for one in found if one.state == "complete" and one.seconds is not None]
    if not complete:
        return None
    first = metrics[0].name
    second = metrics[1].name if len(metrics) > 1 else None
    across = second or "seconds of training"
    with style():
        figure, axis = new_axes(560, 330)
        for one in _on_top_last(complete, kinds):
            kind = _kind(one, kinds)
            size = 13 if kind in ("winner", "default") else 9
            x = one.scores[second].value if second else one.seconds
            dot = {key: _LINES[kind].get(key) for key in ("color", "alpha")}
            y, said = one.scores[first].value, titled(_about(one))
            axis.plot(x, y, "o", **dot, markersize=size, mec=SURFACE, gid=said)
        tick_shortly(axis)
        axis.margins(0.08)
        axis.set_xlabel(across)
        axis.set_title(first, loc="left", fontsize=12, color=MUTED)
        return inline_svg(figure, f"{first} against {across}")


def _kind(one: Outcome, kinds: Mapping[int, Kind]) -> Kind:
    return "default" if one.recipe == "default" else kinds[one.number]


def _on_top_last(found: Sequence[Outcome], kinds: Mapping[int, Kind]) -> list[Outcome]:
    order = list(_LINES)
    return sorted(found, key=lambda one: order.index(_kind(one, kinds)))


def _legend(figure: Any, axis: Any, shown: Sequence[Kind]) -> None:
    for kind in reversed(list(_LINES)):
        if kind in shown:
            axis.plot([], [], **_LINES[kind], label=_NAMES[kind])
    figure.legend(loc="outside upper left", ncols=len(_LINES), handlelength=2.2)


def _limits(found: Sequence[Outcome], metric: Metric) -> tuple[float, float]:
    values = [one.scores[metric.name].value for one in found if one.state == "complete"]
    low, high = min(values, default=0.0), max(values, default=1.0)
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _height(one: Outcome, name: str, limits: tuple[float, float]) -> float | None:
    if name not in one.scores:
        return None
    return (one.scores[name].value - limits[0]) / (limits[1] - limits[0])


def _about(one: Outcome) -> str:
    """Return what a configuration is and how it did, as one line."""
    values = ", ".join(f"{key} {_end(value)}" for key, value in one.values.items())
    scores = ", ".join(f"{name} {short(score.value)}" for name, score in one.scores.items())
    return f"{one.label}: {'; '.join(part for part in (scores or one.state, values) if part)}"


def _end(value: JsonValue) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return short(float(value))
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 18 else f"{text[:17]}…"
