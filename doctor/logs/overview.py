"""The overview of a log: nine panels, with the statistics of embeddings where there are some."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from cinelex.doctor.charts import SERIES, style
from cinelex.doctor.logs.drawing import (
    draw_chance,
    draw_curve,
    empty,
    legend,
    new_panels,
    save,
    shortened,
    title,
)
from cinelex.doctor.logs.latent import find_statistics
from cinelex.doctor.logs.metric import Log, Metric
from cinelex.doctor.logs.names import (
    chance_of,
    direction,
    held_out,
    is_learning_rate,
    without_nulls,
)
from cinelex.doctor.logs.relations import correlations

MAX_RUNS = len(SERIES)
_CURVES, _HISTOGRAMS, _MAX_CORRELATED = 4, 3, 9
_LATE = 0.25
_ON_DARK, _ON_PALE = "#fefefe", "#202020"
"""Of numbers on coloured cells, which stay as they are whatever the page's colours."""


def draw_overview(log: Log, path: Path) -> Markup:
    """Write and return the nine panels: four curves, a band, correlations, three histograms.

    The first curve is the learning rate and the next three are mean, std and norm of embeddings;
    where a log has none, losses with their chance and a held-out metric take their places. Of more
    than 6 runs the first 6 are drawn; band, correlations and histograms show the first run.
    """
    runs = log.run_names[:MAX_RUNS]
    first = log.of_run(runs[0])
    names = chosen_names(first)
    with style():
        figure, axes = new_panels(3, 3)
        _fill(axes, log, runs, names)
        one = len(log.run_names) == 1
        shown = runs[0] if one else f"{runs[0]} and {len(log.run_names) - 1} more"
        figure.suptitle(f"{shown}: overview", x=0.01, ha="left", fontsize=13)
        return save(figure, path, about="Nine panels: curves, band, correlations, histograms")


def _fill(axes: Sequence[Any], log: Log, runs: Sequence[str], names: Sequence[str]) -> None:
    first = log.of_run(runs[0])
    curves = _varied(names)
    for index in range(_CURVES):
        _curves(axes[index], log, runs, curves[index] if index < len(curves) else None)
    _band(axes[4], first, names)
    dense = sorted(names, key=lambda name: -len(first[name].values))
    _correlations(axes[5], [first[name] for name in dense])
    late = [name for name in names if not is_learning_rate(name)]
    for index in range(_HISTOGRAMS):
        _histogram(axes[6 + index], first[late[index]] if index < len(late) else None)


def chosen_names(metrics: Mapping[str, Metric]) -> list[str]:
    """Return names by how much they say at a glance; nulls are drawn beside what they belong to."""
    own = without_nulls(metrics)
    roles = {
        statistics.of[role].name: position
        for statistics in find_statistics(own)
        if {"mean", "std"} <= statistics.of.keys()
        for position, role in enumerate(("mean", "std", "norm", "min", "max"), start=1)
        if role in statistics.of
    }

    def order(name: str) -> tuple[int, int]:
        points = -len(own[name].values)
        if is_learning_rate(name):
            return (0, 0) if roles else (5, 0)
        if name in roles:
            return 1, roles[name]
        if direction(name) == 0:
            return 6, points
        if held_out(name):
            return 3, 0
        return (2 if chance_of(name, metrics) else 4), points

    return sorted(own, key=order)


def _varied(names: Sequence[str]) -> list[str]:
    """Return the names of the curves: the first ones, of which one is held out if any is."""
    first = list(names[:_CURVES])
    if len(names) > _CURVES and not any(held_out(name) for name in first):
        first[-1] = next((name for name in names if held_out(name)), first[-1])
    return first


def _curves(axis: Any, log: Log, runs: Sequence[str], name: str | None) -> None:
    if name is None:
        empty(axis, "no further metric")
        return
    for color, run in zip(SERIES, runs, strict=False):
        metric = log.of_run(run).get(name)
        if metric is not None:
            draw_curve(axis, metric, color=color, label=shortened(run) if len(runs) > 1 else "")
    title(axis, name)
    if draw_chance(axis, name, log.of_run(runs[0])) or len(runs) > 1:
        legend(axis)


def _band(axis: Any, metrics: Mapping[str, Metric], names: Sequence[str]) -> None:
    """Draw least and greatest value of embeddings, or what the buckets of an export hide."""
    for statistics in find_statistics(metrics):
        if {"min", "max"} <= statistics.of.keys():
            for role, color in (("min", SERIES[0]), ("max", SERIES[1])):
                draw_curve(axis, statistics.of[role], color=color, label=role)
            title(axis, f"{statistics.name}: least and greatest value")
            legend(axis)
            return
    bucketed = [name for name in names if metrics[name].bucketed]
    if bucketed or names:
        name = (bucketed or names)[0]
        draw_curve(axis, metrics[name], color=SERIES[0])
        title(axis, f"{name}: band", "from the least to the greatest value of each stretch")


def _correlations(axis: Any, metrics: Sequence[Metric]) -> None:
    moving = [m for m in metrics if len(m.values) > 2 and np.ptp(m.values) > 0][:_MAX_CORRELATED]
    if len(moving) < 2:
        empty(axis, "correlations need two metrics that move")
        return
    matrix = correlations(moving)
    labels = [shortened(name)[-18:] for name in matrix.names]
    axis.imshow(matrix.values, vmin=-1, vmax=1, cmap="RdBu_r", aspect="auto")
    axis.set_xticks(range(len(labels)), labels, rotation=35, ha="right", fontsize=7)
    axis.set_yticks(range(len(labels)), labels, fontsize=7)
    axis.grid(visible=False)
    for (row, column), value in np.ndenumerate(matrix.values):
        text = "–" if np.isnan(value) else f"{value:.2f}"
        color = _ON_DARK if abs(value) > 0.6 else _ON_PALE
        axis.text(column, row, text, ha="center", va="center", fontsize=7, color=color)
    title(axis, "Correlation of changes", "first differences; 0 for unrelated metrics")


def _histogram(axis: Any, metric: Metric | None) -> None:
    if metric is None:
        empty(axis, "no further metric")
        return
    late = metric.values[metric.steps >= metric.steps[-1] - _LATE * np.ptp(metric.steps)]
    # values that differ in their last bits alone leave no room for forty edges between them
    room = 1e-9 * float(np.abs(metric.values).max())
    least, greatest = float(metric.values.min()), float(metric.values.max())
    edges = np.histogram_bin_edges(metric.values, bins=40, range=(least - room, greatest + room))
    axis.hist(metric.values, edges, color=SERIES[0], alpha=0.35, label="whole run")
    axis.hist(late, edges, color=SERIES[1], alpha=0.75, label="last quarter")
    legend(axis)
    title(axis, f"{metric.name}: distribution")
