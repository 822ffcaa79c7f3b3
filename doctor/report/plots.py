"""Line charts as plain geometry, with their nulls; the templates draw them as SVG."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

WIDTH, HEIGHT = 360, 226
LEFT, RIGHT, TOP, BOTTOM = 46, 346, 14, 188
_BUCKETS = 150
_LABEL_GAP = 15.0
_LABEL_WIDTH = 110

Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Series:
    """What is to be drawn: values over optimizer steps."""

    label: str
    points: Points
    """Step and value; only finite values."""


@dataclass(frozen=True)
class Line:
    """A drawn series, in the units of the chart's view box."""

    label: str
    last: str
    """The last value, as text."""
    path: str
    """The SVG path of the line."""
    band: str
    """The SVG path around the least and greatest value of each bucket; empty without buckets."""
    dots: tuple[tuple[float, float, str], ...]
    """Markers with their text, where there are few values."""
    label_y: float
    """Baseline of the label, clear of the other lines' labels."""
    label_left: bool = False
    """Whether the label stands at the left end, because data pass where it would stand else."""


@dataclass(frozen=True)
class Chart:
    """A line chart: measured lines, dashed nulls, and ticks."""

    title: str
    note: str
    lines: tuple[Line, ...]
    nulls: tuple[Line, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    size: tuple[int, int] = (WIDTH, HEIGHT)
    """Width and height of the view box."""
    frame: tuple[int, int, int, int] = (LEFT, RIGHT, TOP, BOTTOM)
    """Left, right, top and bottom of the plotted area."""


@dataclass(frozen=True)
class _Axis:
    """Maps values to places; a logarithmic axis needs values above 0."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def place(self, value: float) -> float:
        change = math.log if self.log else float
        low, high = change(self.low), change(self.high)
        return self.start + (change(value) - low) / (high - low) * (self.end - self.start)


def line_chart(
    title: str,
    *,
    note: str,
    lines: Sequence[Series],
    nulls: Sequence[Series] = (),
    from_zero: bool = True,
    log: bool = False,
) -> Chart | None:
    """Lay out a chart of values over steps; None if no line has a value.

    Args:
        title: what is drawn.
        note: one sentence: the unit, and what the nulls mean.
        lines: what was measured; long ones are averaged in buckets, with a band around them.
        nulls: chance, floors, limits; drawn dashed, with their label and last value.
        from_zero: whether the vertical axis includes 0.
        log: whether the vertical axis is logarithmic; ignored if a value is not above 0.
    """
    lines = [series for series in lines if series.points]
    nulls = [series for series in nulls if series.points]
    if not lines:
        return None
    values = [value for series in (*lines, *nulls) for _, value in series.points]
    steps = [step for series in lines for step, _ in series.points]
    log = log and min(values) > 0
    low, high = _limits(values, from_zero=from_zero and not log, log=log)
    y = _Axis(low, high, BOTTOM, TOP, log)
    x = _Axis(0.0, max(*steps, 1.0), LEFT, RIGHT)
    places = [(x.place(step), y.place(value)) for li in lines for step, value in li.points]
    ticks = log_ticks(low, high) if log else nice_ticks(low, high)
    return Chart(
        title,
        note,
        tuple(_line(series, x, y) for series in lines),
        tuple(_beside(line, places) for line in _spread([_line(n, x, y) for n in nulls])),
        tuple((x.place(t), f"{t:g}") for t in nice_ticks(x.low, x.high) if t == int(t)),
        tuple((y.place(tick), short(tick)) for tick in ticks),
    )


def short(value: float) -> str:
    """Return a number in three significant digits, without a zero-padded exponent."""
    text = f"{value:.2e}" if 0 < abs(value) < 1e-3 else f"{value:.3g}"
    if "e" not in text:
        return text
    mantissa, exponent = text.split("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def nice_ticks(low: float, high: float, *, about: int = 5) -> list[float]:
    """Return round numbers from ``low`` to ``high``: multiples of 1, 2 or 5 times a power of 10."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Return powers of 10 from ``low`` to ``high``, with 2 and 5 times them where there are few."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    powers = [10.0**d for d in decades if low <= 10.0**d <= high]
    if len(powers) >= 3:
        return powers
    return [m * 10.0**d for d in decades for m in (1, 2, 5) if low <= m * 10.0**d <= high]


def _limits(values: list[float], *, from_zero: bool, log: bool) -> tuple[float, float]:
    low, high = min(values), max(values)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if log:
        return low / 1.15, high * 1.15
    margin = 0.06 * (high - low) or abs(high) * 0.1 or 1.0
    return (low if from_zero and low == 0 else low - margin), high + margin


def _line(series: Series, x: _Axis, y: _Axis) -> Line:
    points = sorted(series.points)
    band = ""
    shown = points
    if len(points) > 2 * _BUCKETS:
        size = math.ceil(len(points) / _BUCKETS)
        buckets = [points[i : i + size] for i in range(0, len(points), size)]
        shown = [_reduce(bucket, fmean) for bucket in buckets]
        upper = [_reduce(bucket, max) for bucket in buckets]
        lower = [_reduce(bucket, min) for bucket in reversed(buckets)]
        band = _path(upper + lower, x, y) + "Z"
    few = shown if len(shown) <= 12 else []
    dots = tuple((x.place(s), y.place(v), f"step {s:g}: {short(v)}") for s, v in few)
    last = shown[-1][1]
    return Line(series.label, short(last), _path(shown, x, y), band, dots, y.place(last) - 5)


def _reduce(bucket: Points, how: Callable[[list[float]], float]) -> tuple[float, float]:
    return fmean(step for step, _ in bucket), how([value for _, value in bucket])


def _path(points: Points, x: _Axis, y: _Axis) -> str:
    places = [f"{x.place(step):.1f} {y.place(value):.1f}" for step, value in points]
    return "M" + "L".join(places if len(places) > 1 else places * 2)


def _spread(lines: list[Line]) -> list[Line]:
    """Move labels up, from the lowest on, until none covers another."""
    if not lines:
        return []
    moved: dict[int, float] = {}
    free = BOTTOM + _LABEL_GAP
    for i in sorted(range(len(lines)), key=lambda i: -lines[i].label_y):
        moved[i] = min(lines[i].label_y, free - _LABEL_GAP)
        free = moved[i]
    overflow = max(0.0, TOP + 8 - min(moved.values()))
    return [
        replace(line, label_y=min(moved[i] + overflow, BOTTOM - 3)) for i, line in enumerate(lines)
    ]


def _beside(line: Line, places: Points) -> Line:
    """Put a label at the left end if fewer data pass there than at the right end."""
    near = [x for x, y in places if line.label_y - 16 < y < line.label_y + 6]
    left = sum(x < LEFT + _LABEL_WIDTH for x in near)
    right = sum(x > RIGHT - _LABEL_WIDTH for x in near)
    return replace(line, label_left=left < right)
