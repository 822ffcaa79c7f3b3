"""How often ``doctor logs`` is right about series whose truth is known.

How often its 95 % intervals cover what a series was made with, and how often it gives a verdict on
generalisation to noise.
"""

import argparse
import math
from collections.abc import Callable

import numpy as np

from cinelex.core.console import say
from cinelex.doctor.logs.held_out import held_out_entries
from cinelex.doctor.logs.metric import Metric
from cinelex.metrics.series.change_points import change_points
from cinelex.metrics.series.level import level_change
from cinelex.metrics.series.trend import theil_sen
from tests.metrics.series import autoregressive

SLOPE, STEP, JUMP, RISE = 0.01, 3.0, 4.0, 6.0
Interval = tuple[float, float]


def slope_interval(values: np.ndarray) -> Interval | None:
    """Return the interval of the slope of a series with a slope added."""
    steps = np.arange(len(values), dtype=np.float64)
    trend = theil_sen(steps, values + SLOPE * steps)
    return (trend.low, trend.high) if trend.testable else None


def level_interval(values: np.ndarray) -> Interval | None:
    """Return the interval of the change of level of a series with a step in its middle."""
    change = level_change(values + STEP * (np.arange(len(values)) >= len(values) // 2))
    return change.interval if change.testable else None


def jump_interval(values: np.ndarray) -> Interval | None:
    """Return the interval of the place of a jump in the middle of a slope."""
    steps = np.arange(len(values), dtype=np.float64)
    found = change_points(steps, values + SLOPE * steps + JUMP * (steps > len(values) // 2))
    jumps = [point for point in found if not math.isnan(point.low)]
    return (jumps[0].low, jumps[0].high) if len(jumps) == 1 else None


def row(
    name: str, points: int, correlation: float, series: int, measure: Callable[..., Interval | None]
) -> str:
    """Return one line of the table."""
    truth = {"slope": SLOPE, "change of level": STEP, "place of a jump": points // 2}[name]
    noise = autoregressive(points, correlation=correlation, series=series, seed=points)
    intervals = [measure(values) for values in noise]
    given = [interval for interval in intervals if interval is not None]
    none = 1 - len(given) / series
    covered = np.mean([low <= truth <= high for low, high in given]) if given else math.nan
    return f"| {name} | {points} | {correlation} | {covered:.1%} | {none:.1%} |"


def plateau(points: int) -> np.ndarray:
    """Return a healthy course: it rises in its first third and then stays."""
    return np.asarray(RISE * (1 - np.exp(-12 * np.linspace(0, 1, points))))


def verdicts_on_generalisation(noise: np.ndarray, course: np.ndarray) -> tuple[float, float]:
    """Return the shares of series that are called supported, and contradicted."""
    steps = np.arange(len(course), dtype=np.float64)
    metrics = [Metric("run", "val_recall", steps, course + row) for row in noise]
    found = [next(held_out_entries("run", {m.name: m})).verdict for m in metrics]
    return found.count("supported") / len(found), found.count("contradicted") / len(found)


def intervals(series: int) -> None:
    """Print how often intervals cover."""
    say("| interval of | points | AR(1) | covers | none given |\n|---|---:|---:|---:|---:|")
    for name, lengths, measure in (
        ("slope", (100, 300), slope_interval),
        ("change of level", (600, 2000), level_interval),
        ("place of a jump", (120, 240), jump_interval),
    ):
        for points in lengths:
            for correlation in (0.0, 0.5, 0.8):
                say(row(name, points, correlation, series, measure))


def generalisation(series: int) -> None:
    """Print how often noise, flat or around a healthy course, gets a verdict."""
    say("| held-out course | points | AR(1) | supported | contradicted |")
    say("|---|---:|---:|---:|---:|")
    for name, course in (("flat", np.zeros), ("rises, then stays", plateau)):
        for points in (50, 100):
            for correlation in (0.0, 0.5, 0.8):
                noise = autoregressive(points, correlation=correlation, series=series, seed=points)
                shares = verdicts_on_generalisation(noise, course(points))
                shown = " | ".join(f"{share:.1%}" for share in shares)
                say(f"| {name} | {points} | {correlation} | {shown} |")


PARTS = {"intervals": intervals, "generalisation": generalisation}


def main() -> None:
    """Print the tables of docs/how-to/logs.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=400)
    parser.add_argument("--part", choices=PARTS, help="default: all parts")
    options = parser.parse_args()
    for part in [options.part] if options.part else PARTS:
        PARTS[part](options.series)


if __name__ == "__main__":
    main()
