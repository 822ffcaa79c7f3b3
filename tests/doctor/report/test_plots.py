"""Charts as geometry: places known by hand."""

import re

import pytest

from cinelex.doctor.report.plots import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    Chart,
    Series,
    line_chart,
    log_ticks,
    nice_ticks,
    short,
)


def _chart(lines: list[Series], nulls: list[Series] | None = None, **options: bool) -> Chart:
    chart = line_chart("t", note="n", lines=lines, nulls=nulls or [], **options)
    assert chart is not None
    return chart


def _places(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", path)]


def test_zero_lies_on_the_axis_and_the_last_step_at_the_right_end() -> None:
    chart = _chart([Series("a", [(0.0, 0.0), (10.0, 5.0)])])
    (first, last) = _places(chart.lines[0].path)
    assert first == (LEFT, BOTTOM)
    assert last[0] == RIGHT
    assert TOP < last[1] < BOTTOM


def test_a_null_is_drawn_where_its_value_is() -> None:
    line, chance = Series("a", [(1.0, 3.0), (9.0, 1.0)]), Series("chance", [(1.0, 3.0), (9.0, 3.0)])
    chart = _chart([line], [chance])
    assert _places(chart.nulls[0].path)[0] == _places(chart.lines[0].path)[0]
    assert chart.nulls[0].last == "3"


def test_labels_of_close_nulls_do_not_cover_each_other_or_leave_the_chart() -> None:
    points = [(1.0, 2.95), (100.0, 2.9)]
    nulls = [Series("chance", [(1.0, 2.996)] * 2), Series("floor", [(1.0, 2.896)] * 2)]
    chart = _chart([Series("loss", points)], nulls)
    high, low = sorted(line.label_y for line in chart.nulls)
    assert low - high >= 15
    assert high >= TOP
    assert low <= BOTTOM


def test_a_label_stands_where_no_data_pass() -> None:
    falling = Series("norm", [(float(i), 10.0 if i < 50 else 1.0) for i in range(101)])
    limit = Series("limit", [(0.0, 1.0), (100.0, 1.0)])
    assert _chart([falling], [limit]).nulls[0].label_left
    rising = Series("norm", [(float(i), 1.0 if i < 50 else 10.0) for i in range(101)])
    assert not _chart([rising], [limit]).nulls[0].label_left


def test_many_steps_are_averaged_in_buckets_with_a_band_from_least_to_greatest() -> None:
    points = [(float(i), float(i % 2)) for i in range(1000)]
    line = _chart([Series("a", points)]).lines[0]
    assert len(_places(line.path)) < 200
    heights = [y for _, y in _places(line.path)]
    assert max(heights) - min(heights) < 40
    edges = [y for _, y in _places(line.band)]
    assert max(edges) == BOTTOM
    assert max(edges) - min(edges) > 150


def test_few_steps_have_markers_that_say_their_value() -> None:
    line = _chart([Series("a", [(100.0, 0.25), (200.0, 0.5)])]).lines[0]
    assert [text for _, _, text in line.dots] == ["step 100: 0.25", "step 200: 0.5"]


def test_nothing_measured_draws_nothing() -> None:
    assert line_chart("t", note="n", lines=[Series("a", [])]) is None


@pytest.mark.parametrize("value", [0.0, 3.5, -2.0])
def test_a_constant_and_a_single_step_can_be_drawn(value: float) -> None:
    for points in ([(1.0, value)], [(1.0, value), (5.0, value)]):
        assert _places(_chart([Series("a", points)]).lines[0].path)
        assert _places(_chart([Series("a", points)], from_zero=False, log=True).lines[0].path)


def test_a_logarithmic_axis_puts_equal_factors_at_equal_distances() -> None:
    points = [(1.0, 0.1), (2.0, 1.0), (3.0, 10.0)]
    heights = [y for _, y in _places(_chart([Series("a", points)], log=True).lines[0].path)]
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=0.2)


def test_ticks_are_round_and_inside() -> None:
    assert nice_ticks(0.0, 1.04) == pytest.approx([0.0, 0.5, 1.0])
    assert nice_ticks(0.0, 3.7) == [0.0, 1.0, 2.0, 3.0]
    assert nice_ticks(0.0, 0.0031) == pytest.approx([0.0, 0.001, 0.002, 0.003])
    assert log_ticks(0.05, 200.0) == pytest.approx([0.1, 1.0, 10.0, 100.0])
    assert log_ticks(0.4, 3.0) == pytest.approx([0.5, 1.0, 2.0])


def test_numbers_are_short() -> None:
    assert [short(x) for x in (0.0, 0.0005, 1.37e-5, 2.0, 3.4657, 20000.0, -0.25)] == [
        "0", "5e-4", "1.37e-5", "2", "3.47", "2e4", "-0.25",
    ]  # fmt: skip
