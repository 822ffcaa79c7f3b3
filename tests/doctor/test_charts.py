"""Charts as inline SVG: what stands in them, in whose colours, and nothing else."""

import re

import numpy as np
import pytest

from cinelex.doctor.charts import (
    Chart,
    Series,
    inline_svg,
    line_chart,
    new_axes,
    short,
    style,
    titled,
)
from cinelex.doctor.thinning import MAX_POINTS, thinned

CHANCE = Series("chance", [(0.0, 3.0), (10.0, 3.0)])


def _chart(lines: list[Series], nulls: tuple[Series, ...] = (), *, log: bool = False) -> Chart:
    chart = line_chart("t", note="n", lines=lines, nulls=nulls, log=log)
    assert chart is not None
    return chart


def _places(chart: Chart, color: str) -> list[tuple[float, float]]:
    """Return the corners of the first line of a colour."""
    paths = re.findall(r'<path d="([^"]*)" style="([^"]*)"', chart.svg)
    path = next(d for d, look in paths if f"stroke: var(--{color})" in look)
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", path)]


def test_a_null_is_drawn_where_its_value_is_and_named_with_it() -> None:
    chart = _chart([Series("loss", [(0.0, 3.0), (10.0, 1.0)])], (CHANCE,))
    (_, start), *_ = _places(chart, "series-1")
    (_, null), *_ = _places(chart, "null")
    assert null == start
    assert ">chance 3</text>" in chart.svg
    assert "stroke-dasharray" in chart.svg


def test_the_axis_begins_at_zero_and_says_what_it_counts() -> None:
    svg = _chart([Series("a", [(0.0, 5.0), (10.0, 6.0)])]).svg
    assert ">0</text>" in svg
    assert ">optimizer step</text>" in svg


def test_who_cannot_see_hears_what_stands_at_the_end() -> None:
    chart = _chart([Series("loss", [(0.0, 3.0), (10.0, 1.0)])], (CHANCE,))
    assert 'role="img" aria-label="t, at the end: loss 1; chance 3"' in chart.svg
    assert chart.end == "1 at the end"


def test_every_colour_is_a_variable_of_the_page() -> None:
    chart = _chart([Series("a", [(0.0, 1.0), (9.0, 2.0)]), Series("b", [(0.0, 2.0)])], (CHANCE,))
    assert not re.findall(r"#[0-9a-f]{6}\b", chart.svg.replace('href="#', ""))
    assert "var(--series-1)" in chart.svg
    assert "var(--series-2)" in chart.svg


def test_a_chart_is_the_same_to_the_byte_and_brings_no_ids_fonts_or_styles() -> None:
    lines = [Series("a", [(float(i), float(i * i)) for i in range(40)])]
    svg = _chart(lines).svg
    assert svg == _chart(lines).svg
    assert not re.search(r" id=|font-family|<style|http|clip-path|<\?xml", svg)
    assert len(svg) < 4_000


def test_what_a_label_holds_is_text() -> None:
    bad = "</text><script>$\\frac$ \"'"
    svg = _chart([Series(bad, [(0.0, 1.0)]), Series("b", [(0.0, 2.0)])]).svg
    assert "<script" not in svg
    assert "&lt;script&gt;$\\frac$" in svg
    with style():
        figure, axis = new_axes(100, 100)
        axis.plot([0, 1], [0, 1], gid=titled(bad))
        svg = inline_svg(figure, bad)
    assert "<script" not in svg
    assert "<title>&lt;/text&gt;&lt;script&gt;" in svg


def test_many_steps_are_averaged_in_a_band_from_least_to_greatest() -> None:
    steps = np.arange(1000.0)
    at, means, least, greatest = thinned(steps, steps % 2)
    assert len(at) <= MAX_POINTS
    assert set(least) == {0.0}
    assert set(greatest) == {1.0}
    assert means[0] == pytest.approx(3 / 7)  # 0 1 0 1 0 1 0
    assert at[0] == 3.0
    assert "opacity: 0.17" in _chart([Series("a", list(zip(steps, steps % 2, strict=True)))]).svg


def test_few_steps_have_markers_that_say_their_value() -> None:
    svg = _chart([Series("a", [(100.0, 0.25), (200.0, 0.5)])]).svg
    assert re.findall("<title>(.*?)</title>", svg) == ["step 100: 0.25", "step 200: 0.5"]


def test_nothing_measured_draws_nothing() -> None:
    assert line_chart("t", note="n", lines=[Series("a", [])]) is None


@pytest.mark.parametrize("value", [0.0, 3.5, -2.0])
def test_a_constant_and_a_single_step_can_be_drawn(value: float) -> None:
    for points in ([(1.0, value)], [(1.0, value), (5.0, value)]):
        for log in (False, True):
            assert "<path" in _chart([Series("a", points)], log=log).svg


def test_a_logarithmic_axis_puts_equal_factors_at_equal_distances() -> None:
    points = [(1.0, 0.1), (2.0, 1.0), (3.0, 10.0)]
    heights = [y for _, y in _places(_chart([Series("a", points)], log=True), "series-1")]
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=0.2)


def test_numbers_are_short() -> None:
    assert [short(x) for x in (0.0, 0.0005, 1.37e-5, 2.0, 3.4657, 20000.0, -0.25)] == [
        "0", "5e-4", "1.37e-5", "2", "3.47", "2e4", "-0.25",
    ]  # fmt: skip
