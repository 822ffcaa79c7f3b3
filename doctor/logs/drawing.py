"""What the pictures of a log have in common: panels, headings, and curves of metrics."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from cinelex.core.files import write_whole
from cinelex.doctor.charts import INK, MUTED, SURFACE, draw_line, draw_null, inline_svg
from cinelex.doctor.logs.metric import Metric
from cinelex.doctor.logs.names import chance_of, is_learning_rate

_LONGEST_NAME = 34


def new_panels(rows: int, columns: int) -> tuple[Any, list[Any]]:
    """Return an empty figure and its axes in reading order, to be drawn on within ``style()``."""
    from matplotlib.figure import Figure  # here, because it takes seconds

    figure = Figure(figsize=(4.6 * columns, 3.1 * rows + 0.5), layout="constrained", dpi=110)
    axes = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for axis in axes:
        axis.tick_params(labelsize=8)
    return figure, axes


def save(figure: Any, path: Path, *, about: str) -> Markup:
    """Write the figure as PNG, whole or not at all, and return it for the middle of a page."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None}, facecolor=SURFACE)
    write_whole(path, stream.getvalue())
    return inline_svg(figure, about)


def title(axis: Any, text: str, note: str = "") -> None:
    """Head one panel: its name, and below it a sentence or numbers in grey."""
    axis.set_title(shortened(text), loc="left", fontsize=10, color=INK, pad=18 if note else 6)
    if note:
        axis.text(0, 1.03, note, transform=axis.transAxes, fontsize=7.5, color=MUTED)


def legend(axis: Any) -> None:
    """Name the lines of a panel."""
    axis.legend(fontsize=7, loc="upper right")  # "best" is looked for, and slow


def shortened(name: str) -> str:
    """Return the end of a long name, which is what tells metrics apart."""
    return name if len(name) <= _LONGEST_NAME else "…" + name[1 - _LONGEST_NAME :]


def draw_curve(axis: Any, metric: Metric, *, color: str, label: str = "") -> None:
    """Draw a metric over its steps, with all that each of its points stands for."""
    draw_line(axis, metric.steps, metric.values, metric.low, metric.high, color=color, label=label)
    axis.set_xlabel("step", fontsize=8)
    if is_learning_rate(metric.name):
        axis.set_ylim(bottom=0)


def draw_chance(axis: Any, name: str, metrics: Mapping[str, Metric]) -> bool:
    """Draw a metric's chance beside it; return whether the log has one."""
    chance = chance_of(name, metrics)
    if chance is not None:
        draw_null(axis, chance.steps, chance.values, label="chance")
    return chance is not None


def empty(axis: Any, text: str) -> None:
    """Say in a panel why nothing stands there."""
    axis.set_axis_off()
    axis.text(0.5, 0.5, text, transform=axis.transAxes, ha="center", color=MUTED, fontsize=9)
