"""Pictures of response curves, drawn to be looked at."""

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from cinelex.core.files import write_whole
from cinelex.data.eq.response import frequencies

MADE, KNOWN = "#c2410c", "#475569"
COLUMNS = 4
TICKS_HZ = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000)
BAND = (10, 90)
"""Percentiles between which the training settings are shaded."""


def draw_descriptors(
    path: Path,
    names: Sequence[str],
    made: Float[np.ndarray, "descriptor point"],
    known: Sequence[Float[np.ndarray, "_ point"]],
) -> None:
    """Draw, for each descriptor, the curve that was made over those of its training settings."""
    columns = min(COLUMNS, len(names))
    rows = math.ceil(len(names) / columns)
    figure = _figure(4.2 * max(2, columns), 3.2 * rows + 0.6)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).flatten()
    hz = frequencies(made.shape[1]).numpy()
    for axis, name, curve, others in zip(grid, names, made, known, strict=False):
        low, high = np.percentile(others, BAND, axis=0)
        axis.fill_between(hz, low, high, color=KNOWN, alpha=0.18, linewidth=0)
        axis.plot(hz, others.mean(axis=0), color=KNOWN, linestyle="--", linewidth=1.2)
        axis.plot(hz, curve, color=MADE, linewidth=2.2)
        axis.set_title(f"{name} ({len(others)} training settings)", fontsize=11, loc="left")
        _frame(axis)
    for axis in grid[len(names) :]:
        axis.set_axis_off()
    figure.suptitle(
        "Made from the word (solid); mean of its training settings (dashed), "
        f"{BAND[0]}th to {BAND[1]}th percentile (shaded)",
        fontsize=10,
    )
    _save(figure, path)


def draw_morph(path: Path, ends: Sequence[str], curves: Float[np.ndarray, "step point"]) -> None:
    """Draw every curve of a morph, from the first descriptor's colour to the last one's."""
    from matplotlib import colormaps  # here, because it takes a second

    figure = _figure(8.4, 4.8)
    axis = figure.subplots()
    hz = frequencies(curves.shape[1]).numpy()
    colours = colormaps["viridis"](np.linspace(0.05, 0.9, len(curves)))
    for step, (curve, colour) in enumerate(zip(curves, colours, strict=True)):
        end = step in (0, len(curves) - 1)
        label = ends[0] if step == 0 else ends[1] if end else None
        axis.plot(hz, curve, color=colour, linewidth=2.6 if end else 1.2, label=label)
    axis.set_title(
        f"From {ends[0]} to {ends[1]} in {len(curves)} settings", fontsize=11, loc="left"
    )
    axis.legend(frameon=False, loc="upper right")
    _frame(axis)
    _save(figure, path)


def draw_map(
    path: Path,
    rows: Float[np.ndarray, "setting dim"],
    centres: Float[np.ndarray, "descriptor dim"],
    member: Sequence[np.ndarray],
    names: Sequence[str],
) -> None:
    """Draw the two directions in which the descriptors' centres differ most.

    Args:
        path: PNG to write.
        rows: Held-out settings in the latent.
        centres: Centres of the training settings of each descriptor.
        member: For each descriptor, which rows have it.
        names: The descriptors.
    """
    from matplotlib import colormaps  # here, because it takes a second

    middle = centres.mean(axis=0)
    axes = np.linalg.svd(centres - middle, full_matrices=False)[2][:2]
    points, anchors = (rows - middle) @ axes.T, (centres - middle) @ axes.T
    figure = _figure(7.2, 5.6)
    axis = figure.subplots()
    for number, (name, own) in enumerate(zip(names, member, strict=True)):
        colour = colormaps["tab20"](number % 20)
        axis.scatter(points[own, 0], points[own, 1], s=14, color=colour, alpha=0.7, linewidths=0)
        axis.annotate(name, anchors[number], color="black", fontsize=11, weight="bold")
        x, y = anchors[number]
        axis.scatter(x, y, s=90, color=colour, edgecolors="black", zorder=3)
    axis.set_title(
        "Held-out settings (dots) and the centres of the training settings", fontsize=11, loc="left"
    )
    axis.set_xlabel("first direction between centres")
    axis.set_ylabel("second direction")
    _save(figure, path)


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure  # here, because it takes a second

    return Figure(figsize=(width, height), layout="constrained")


def _frame(axis: Any) -> None:
    axis.set_xscale("log")
    axis.set_xlim(20, 20000)
    axis.set_xticks(TICKS_HZ, [f"{hz // 1000}k" if hz >= 1000 else str(hz) for hz in TICKS_HZ])
    axis.minorticks_off()
    axis.axhline(0.0, color="black", linewidth=0.6)
    axis.grid(alpha=0.25)
    axis.set_xlabel("Hz")
    axis.set_ylabel("dB")
    axis.label_outer()


def _save(figure: Any, path: Path) -> None:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110)
    write_whole(path, stream.getvalue())
