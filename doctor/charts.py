"""The one chart engine: matplotlib to inline SVG whose colours are those of the page around it."""

import io
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup, escape

from cinelex.doctor.thinning import thinned

INK, MUTED, NULL = "#15191e", "#6a737e", "#59626d"
LINE, GRID, SURFACE = "#dde1e6", "#e9ecef", "#ffffff"
SERIES = ("#2a6fdb", "#d4570f", "#0b6e33", "#8a4fbf", "#b3261e", NULL)
_VARIABLES = {
    INK: "ink", MUTED: "muted", NULL: "null", LINE: "line", GRID: "grid", SURFACE: "surface",
    **{color: f"series-{number}" for number, color in enumerate(SERIES[:-1], start=1)},
}  # fmt: skip
"""Each colour, as it is drawn where there is no page, and the variable that a page has for it."""
_STYLE: Any = {
    **dict.fromkeys(("axes.spines.left", "axes.spines.right", "axes.spines.top"), False),
    **dict.fromkeys(("axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor"), MUTED),
    **dict.fromkeys(("xtick.major.size", "ytick.major.size", "ytick.minor.size"), 0),
    **{"axes.axisbelow": True, "axes.edgecolor": LINE, "axes.grid": True, "grid.color": GRID},
    **{"legend.borderaxespad": 0.1, "legend.frameon": False, "legend.handlelength": 1.4},
    **{"font.size": 12, "legend.fontsize": 11.5, "text.color": INK, "text.parse_math": False},
    **{"svg.fonttype": "none", "svg.hashsalt": "cinelex"},
}
_FEW = 12
"""Up to so many points each has a marker that says its value."""

_LEGEND_COLUMNS = 2
_DASHES = ((4, 3), (1, 2), (8, 3))

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Series:
    """What is to be drawn: values over optimizer steps."""

    label: str
    points: Points
    """Step and value; only finite values."""

    @property
    def last(self) -> str:
        """Return label and last value."""
        return f"{self.label} {short(self.points[-1][1])}"


@dataclass(frozen=True)
class Chart:
    """A drawn chart under its heading."""

    title: str
    note: str
    end: str
    """What is said beside the title: the last value of a single line."""
    svg: Markup


def style() -> AbstractContextManager[None]:
    """Return the context in which every picture is made and rendered."""
    from matplotlib import rc_context  # here, because it takes seconds

    return rc_context(_STYLE)


def new_axes(width: float, height: float) -> tuple[Any, Any]:
    """Return an empty figure of so many units of its page, and its only axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / 72, height / 72), layout="constrained")
    return figure, figure.add_subplot()


def _framed(*, rows_of_legend: int) -> tuple[Any, Any]:
    """Return a small figure and its only axes, with room for numbers and for a legend above.

    To find that room by what is drawn, as ``new_axes`` does, is to draw everything twice.
    """
    from matplotlib.figure import Figure

    width, height, left, below = 360, 226, 46, 38
    above = 8 + 17 * rows_of_legend
    figure = Figure(figsize=(width / 72, height / 72))
    room = (width - left - 6) / width, (height - below - above) / height
    return figure, figure.add_axes((left / width, below / height, *room))


def line_chart(
    title: str,
    *,
    note: str,
    lines: Sequence[Series],
    nulls: Sequence[Series] = (),
    log: bool = False,
) -> Chart | None:
    """Return a chart of values over steps, from 0 on; None if no line has a value.

    Args:
        title: what is drawn.
        note: one sentence: the unit, and what the nulls mean.
        lines: what was measured.
        nulls: chance, floors, limits; drawn dashed.
        log: whether the vertical axis is logarithmic; ignored if a value is not above 0.
    """
    lines = [series for series in lines if series.points]
    nulls = [series for series in nulls if series.points]
    if not lines:
        return None
    log = log and min(value for one in (*lines, *nulls) for _, value in one.points) > 0
    with style():
        several = len(lines) > 1
        labels = len(lines) * several + len(nulls)
        figure, axis = _framed(rows_of_legend=-(-labels // _LEGEND_COLUMNS))
        axis.set_yscale("log" if log else "linear")
        for color, series in zip(SERIES, lines, strict=False):
            steps, values = np.array(sorted(series.points)).T
            draw_line(axis, steps, values, color=color, label=series.last if several else "")
        for index, series in enumerate(nulls):
            steps, values, *_ = thinned(*np.array(sorted(series.points)).T)
            draw_null(axis, steps, values, label=series.last, index=index)
        tick_shortly(axis, log=log)
        if not log:
            axis.set_ylim(min(axis.get_ylim()[0], 0.0), max(axis.get_ylim()[1], 0.0))
        axis.set_xlabel("optimizer step")
        if labels:
            figure.legend(loc="upper left", ncols=_LEGEND_COLUMNS)
        said = "; ".join(series.last for series in (*lines, *nulls))
        svg = inline_svg(figure, f"{title}, at the end: {said}")
    return Chart(title, note, "" if several else f"{short(lines[0].points[-1][1])} at the end", svg)


def draw_line(
    axis: Any,
    steps: np.ndarray,
    values: np.ndarray,
    low: np.ndarray | None = None,
    high: np.ndarray | None = None,
    *,
    color: str,
    label: str = "",
) -> None:
    """Draw a series over ordered steps, a long one as means in a band, a short one with markers.

    ``low`` and ``high`` are the least and the greatest that a value itself stands for.
    """
    steps, means, least, greatest = thinned(steps, values, low, high)
    if np.any(greatest > least):
        around = np.append(steps, steps[::-1]), np.append(greatest, least[::-1])
        axis.fill(*around, color=color, alpha=0.17, linewidth=0)
    axis.plot(steps, means, color=color, linewidth=1.8, label=label or "_")
    if len(steps) <= _FEW:
        for step, value in zip(steps, means, strict=True):
            said = titled(f"step {step:g}: {short(value)}")
            axis.plot(step, value, "o", color=color, markersize=6, mec=SURFACE, gid=said)


def draw_null(
    axis: Any, steps: np.ndarray, values: np.ndarray, *, label: str, index: int = 0
) -> None:
    """Draw what knowing nothing would score, or a limit, with the dashes of its index."""
    dashes = (0, _DASHES[index % len(_DASHES)])
    axis.plot(steps, values, color=NULL, linewidth=1.4, linestyle=dashes, label=label)


def tick_shortly(axis: Any, *, log: bool = False) -> None:
    """Put few round numbers on both axes, in few characters."""
    from matplotlib.ticker import LogLocator, MaxNLocator

    for each in (axis.xaxis, axis.yaxis):
        each.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        each.set_major_formatter(lambda value, _: short(value))
    if log:
        low, high = axis.get_ylim()
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
        axis.yaxis.set_minor_formatter("")


def titled(text: str) -> str:
    """Return the ``gid`` of an artist that says a text under the pointer."""
    return f"title:{text}"


def inline_svg(figure: Any, label: str) -> Markup:
    """Return the figure as SVG for the middle of a page, the same to the byte whenever it is made.

    It has no ids but of its markers, no fonts of its own, and the page's variables for colours.

    Args:
        figure: what was drawn, within ``style()``.
        label: what somebody hears who cannot see it.
    """
    for patch in (figure.patch, *(axis.patch for axis in figure.axes)):
        patch.set_visible(False)
    stream = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(stream, format="svg", metadata=nothing)
    drawn = stream.getvalue()
    drawn = drawn[drawn.index('<g id="figure_1">') : drawn.rindex("</svg>")]
    for pattern, instead in _COMPACT:
        drawn = pattern.sub(instead, drawn)
    for color, variable in _VARIABLES.items():
        drawn = drawn.replace(color, f"var(--{variable})")
    width, height = 72 * figure.get_size_inches()
    head = f'<svg class="chart" viewBox="0 0 {width:.0f} {height:.0f}" role="img"'
    return Markup(f'{head} aria-label="{escape(label)}">{drawn}</svg>')  # noqa: S704


def short(value: float) -> str:
    """Return a number with at most three significant digits, for an axis or a tile."""
    if value and not 0.001 <= abs(value) < 10_000:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _in_tenths(path: re.Match[str]) -> str:
    numbers = re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.1f}", path[0])
    return re.sub(r"\s*([A-Zz])\s*", r"\1", numbers).replace("\n", " ")


def _group(tag: re.Match[str]) -> str:
    """Return a group without its id, and with the title that the id holds."""
    _, found, text = tag[2].partition("title:")
    return f"<g><title>{text}</title>" if found else "<g>"


_COMPACT: Sequence[tuple[re.Pattern[str], Any]] = (
    (re.compile(r"<defs>\s*<clipPath.*?</defs>", re.S), ""),
    (re.compile(r' clip-path="[^"]*"| transform="rotate\(-0 [^"]*"|font-family: [^;"]*;? ?'), ""),
    (re.compile(r""" (?:d|x|y)="[^"]*\d[^"]*\""""), _in_tenths),
    (re.compile(r"""<g id=(["'])(.*?)\1>"""), _group),
    (re.compile(r"""<g id="[^"]*"/>|(?<=>)\s+(?=<)|; stroke-linecap: square"""), ""),
    (re.compile(r"<g></g>|(?<=\") (?=/?>)"), ""),
)
"""What matplotlib writes that a page does not need, and what stands in its place."""
