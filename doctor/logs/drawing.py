"""What the pictures of a log have in common: colours, axes, and how long series are drawn."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from cinelex.core.files import write_whole
from cinelex.doctor.logs.metric import Metric, Points
from cinelex.doctor.logs.names import is_learning_rate

SERIES = ("#2a6fdb", "#d4570f", "#0b6e33", "#8a4fbf", "#b3261e", "#59626d")
INK, MUTED, GRID = "#15191e", "#6a737e", "#e9ecef"
_BUCKETS = 300
_LONGEST_NAME = 34


def new_figure(rows: int, columns: int) -> tuple[Figure, list[Any]]:
    """Return an empty figure and its axes in reading order."""
    figure = Figure(figsize=(4.6 * columns, 3.1 * rows + 0.5), layout="constrained", dpi=110)
    axes = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.spines[["left", "bottom"]].set_color(GRID)
        axis.tick_params(colors=MUTED, labelsize=8, length=0)
        axis.grid(color=GRID, linewidth=0.7)
        axis.set_axisbelow(True)
    return figure, axes


def save(figure: Figure, path: Path) -> None:
    """Write the figure as PNG, whole or not at all."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    write_whole(path, stream.getvalue())


def title(axis: Any, text: str, note: str = "") -> None:
    """Head one panel: its name, and below it a sentence or numbers in grey."""
    axis.set_title(shortened(text), loc="left", fontsize=10, color=INK, pad=18 if note else 6)
    if note:
        axis.text(0, 1.03, note, transform=axis.transAxes, fontsize=7.5, color=MUTED)


def shortened(name: str) -> str:
    """Return the end of a long name, which is what tells metrics apart."""
    return name if len(name) <= _LONGEST_NAME else "…" + name[1 - _LONGEST_NAME :]


def draw_curve(axis: Any, metric: Metric, *, color: str, label: str = "") -> None:
    """Draw the means of a long series over its steps, and a band from least to greatest."""
    steps, middle, low, high = _buckets(metric)
    axis.fill_between(steps, low, high, color=color, alpha=0.18, linewidth=0)
    marker = "o" if len(steps) <= 12 else ""
    axis.plot(steps, middle, color=color, linewidth=1.4, marker=marker, markersize=4, label=label)
    axis.set_xlabel("step", fontsize=8, color=MUTED)
    if is_learning_rate(metric.name):
        axis.set_ylim(bottom=0)


def draw_null(axis: Any, chance: Metric) -> None:
    """Draw what knowing nothing would score."""
    axis.plot(chance.steps, chance.values, color=MUTED, linewidth=1, linestyle="--", label="chance")


def empty(axis: Any, text: str) -> None:
    """Say in a panel why nothing stands there."""
    axis.set_axis_off()
    axis.text(0.5, 0.5, text, transform=axis.transAxes, ha="center", color=MUTED, fontsize=9)


def _buckets(metric: Metric) -> Sequence[Points]:
    count = len(metric.values)
    lows = metric.values if metric.low is None else np.minimum(metric.low, metric.values)
    highs = metric.values if metric.high is None else np.maximum(metric.high, metric.values)
    starts = np.arange(0, count, -(-count // _BUCKETS))
    sizes = np.diff(np.append(starts, count))
    return (
        np.add.reduceat(metric.steps, starts) / sizes,
        np.add.reduceat(metric.values, starts) / sizes,
        np.minimum.reduceat(lows, starts),
        np.maximum.reduceat(highs, starts),
    )
