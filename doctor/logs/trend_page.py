"""The trend page: for each metric its levels, its last quarter, and where it jumps or bends."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from cinelex.doctor.charts import INK, MUTED, SERIES, style
from cinelex.doctor.logs.course import FEWEST_LATE, last_quarter
from cinelex.doctor.logs.drawing import draw_chance, draw_curve, new_panels, save, title
from cinelex.doctor.logs.entry import number
from cinelex.doctor.logs.metric import Log, Metric
from cinelex.doctor.logs.names import is_learning_rate
from cinelex.doctor.logs.overview import chosen_names
from cinelex.metrics.series.change_points import ChangePoint, change_points
from cinelex.metrics.series.level import SHARE, level_change
from cinelex.metrics.series.trend import theil_sen

MAX_PANELS = 12
_COLUMNS = 3
_FEWEST = 4


def draw_trends(log: Log, path: Path) -> Markup:
    """Write and return the trends of the first run's metrics, 12 at most."""
    metrics = log.of_run(log.run_names[0])
    names = [name for name in chosen_names(metrics) if len(metrics[name].values) >= _FEWEST]
    shown = names[:MAX_PANELS]
    with style():
        figure, axes = new_panels(max(1, math.ceil(len(shown) / _COLUMNS)), _COLUMNS)
        for axis, name in zip(axes, shown, strict=False):
            _draw(axis, metrics[name])
            draw_chance(axis, name, metrics)
        for axis in axes[len(shown) :]:
            axis.set_axis_off()
        figure.suptitle(
            f"{log.run_names[0]}: trends. Heavy: levels of the first and last 5 %. Orange: "
            "Theil-Sen line of the last quarter. Red: jump with its 95 % interval. Dotted: bend. "
            "Dashed: chance.",
            x=0.01, ha="left", fontsize=9.5, color=MUTED,
        )  # fmt: skip
        return save(figure, path, about="Levels, slopes and change points of each metric")


def _draw(axis: Any, metric: Metric) -> None:
    draw_curve(axis, metric, color=SERIES[0])
    change = level_change(metric.values)
    size = max(1, round(SHARE * len(metric.values)))
    for level, steps in ((change.first, metric.steps[:size]), (change.last, metric.steps[-size:])):
        reach = 0.015 * np.ptp(metric.steps)
        ends = (steps[0] - reach, steps[-1] + reach)
        axis.plot(ends, (level.value, level.value), color=INK, linewidth=2.5)
    title(axis, metric.name, _late_line(axis, metric))
    for point in change_points(metric.steps, metric.values):
        _mark(axis, point)


def _late_line(axis: Any, metric: Metric) -> str:
    """Draw the line of the last quarter and return what it says."""
    if is_learning_rate(metric.name):
        return "a schedule: no noise, no slope to estimate"
    steps, values = last_quarter(metric)
    if len(steps) < FEWEST_LATE:
        return f"{len(metric.values)} points: too few for a slope"
    trend = theil_sen(steps, values)
    if not trend.testable:
        return f"last quarter: {trend.effective:.0f} independent points, no interval"
    length = float(steps[-1] - steps[0])
    middle = float(np.median(values))
    ends = np.array([-length / 2, length / 2]) * trend.slope + middle
    axis.plot((steps[0], steps[-1]), ends, color=SERIES[1], linewidth=2)
    low, high = trend.low * length, trend.high * length
    return f"last quarter: {number(trend.slope * length)} ({number(low)} to {number(high)})"


def _mark(axis: Any, point: ChangePoint) -> None:
    if math.isnan(point.low):
        axis.axvline(point.step, color=MUTED, linewidth=1, linestyle=":")
        return
    axis.axvspan(point.low, point.high, color=SERIES[4], alpha=0.2, linewidth=0)
    axis.axvline(point.step, color=SERIES[4], linewidth=1.2)
