"""Slopes, levels and change points against truths that the series were made from."""

import math

import numpy as np
import pytest
from scipy import stats

from cinelex.metrics.series.autocorrelation import (
    autocorrelation_time,
    positive_lags,
    without_line,
)
from cinelex.metrics.series.change_points import change_points, place_quantile
from cinelex.metrics.series.level import level_change
from cinelex.metrics.series.outliers import early_share, spikes
from cinelex.metrics.series.trend import bucket_means, theil_sen
from tests.metrics.series import autoregressive, coverage_bounds

SERIES = 120


@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_intervals_of_a_slope_cover_it_at_their_nominal_rate(correlation: float) -> None:
    steps = np.arange(150, dtype=np.float64)
    noise = autoregressive(150, correlation=correlation, series=SERIES)
    trends = [theil_sen(steps, 0.01 * steps + row) for row in noise]
    assert all(trend.testable for trend in trends)
    covered = np.mean([trend.low <= 0.01 <= trend.high for trend in trends])
    low, high = coverage_bounds(SERIES)
    assert low <= covered <= high
    # an interval that ignores autocorrelation fails the same series
    if correlation:
        naive = [stats.theilslopes(0.01 * steps + row, steps) for row in noise]
        assert np.mean([n.low_slope <= 0.01 <= n.high_slope for n in naive]) < low


def test_the_slope_is_scipys_and_its_interval_too_without_autocorrelation() -> None:
    steps = np.arange(300, dtype=np.float64)
    values = 0.02 * steps + np.random.default_rng(5).standard_normal(300)
    trend, other = theil_sen(steps, values), stats.theilslopes(values, steps)
    assert trend.slope == pytest.approx(other.slope)
    assert trend.high - trend.low == pytest.approx(other.high_slope - other.low_slope, rel=0.15)


def test_five_wanderings_in_a_row_are_too_little_evidence_for_a_slope() -> None:
    wandering = np.cumsum(np.random.default_rng(0).standard_normal(200))
    assert not theil_sen(np.arange(200.0), wandering).testable


def test_long_series_lose_only_their_oldest_points_to_buckets() -> None:
    assert bucket_means(np.arange(7.0), 3).tolist() == [2.0, 5.0]
    assert bucket_means(np.arange(3.0), 3).tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize(("correlation", "expected"), [(0.0, 1.0), (0.5, 3.0), (0.8, 9.0)])
def test_the_autocorrelation_time_of_a_known_process(correlation: float, expected: float) -> None:
    noise = autoregressive(4000, correlation=correlation, series=8)
    times = [autocorrelation_time(without_line(row)) for row in noise]
    assert np.mean(times) == pytest.approx(expected, rel=0.15)


def test_lags_are_summed_until_a_pair_is_negative() -> None:
    assert positive_lags(np.array([1.0, 0.5, 0.2, 0.1, -0.3, 0.2, 0.9])) == 4
    assert positive_lags(np.array([1.0, -1.0, 0.5])) == 0


@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_intervals_of_a_change_of_level_cover_it_at_their_nominal_rate(
    correlation: float,
) -> None:
    noise = autoregressive(1200, correlation=correlation, series=SERIES, seed=1)
    noise[:, 600:] += 3.0
    changes = [level_change(row) for row in noise]
    assert all(change.testable and not change.borrowed for change in changes)
    covered = np.mean([c.interval[0] <= 3.0 <= c.interval[1] for c in changes])
    low, high = coverage_bounds(SERIES)
    assert low <= covered <= high
    width = np.mean([c.interval[1] - c.interval[0] for c in changes])
    assert width < 2.5


def test_a_start_that_moves_too_fast_is_judged_by_the_noise_of_the_end() -> None:
    points = np.arange(1000.0)
    noise = 0.01 * np.random.default_rng(0).standard_normal(1000)
    change = level_change(np.exp(-points / 300) + noise)
    assert change.borrowed
    assert change.interval[1] < 0
    assert not level_change(np.arange(20.0)).testable


def test_the_place_of_a_jump_is_covered_and_steady_noise_has_none() -> None:
    steps = np.arange(150, dtype=np.float64)
    noise = autoregressive(150, correlation=0.4, series=40, seed=2)
    false_alarms = sum(bool(change_points(steps, 0.01 * steps + row)) for row in noise)
    assert false_alarms <= 5
    noise[:, 68:] += 4.0
    found = [change_points(steps, 0.01 * steps + row) for row in noise]
    jumps = [points[0] for points in found if len(points) == 1 and not math.isnan(points[0].low)]
    assert len(jumps) >= 35
    covered = sum(jump.low <= 67 <= jump.high for jump in jumps)
    assert covered / len(jumps) >= coverage_bounds(len(jumps))[0]
    assert np.median([jump.high - jump.low for jump in jumps]) <= 8
    assert np.median([jump.jump for jump in jumps]) == pytest.approx(4.0, abs=0.4)


def test_a_smooth_fall_bends_and_does_not_jump() -> None:
    steps = np.arange(2000, dtype=np.float64)
    values = np.exp(-steps / 20) + 0.01 * np.random.default_rng(0).standard_normal(2000)
    found = change_points(steps, values)
    assert found
    assert all(math.isnan(point.low) for point in found)


def test_the_quantile_for_a_change_points_place_is_the_published_one() -> None:
    assert place_quantile(0.975) == pytest.approx(11.03, abs=0.01)
    assert place_quantile(0.95) == pytest.approx(7.69, abs=0.01)


def test_a_spike_is_found_at_its_step_and_noise_has_none() -> None:
    steps, values = 10 * np.arange(500.0), np.random.default_rng(0).standard_normal(500)
    assert spikes(steps, values).steps == ()
    values[123] += 20
    found = spikes(steps, values)
    assert found.steps == (1230.0,)
    assert found.expected < 1e-3
    assert spikes(steps, np.ones(500)).steps == ()


def test_a_steady_course_does_one_hundredth_of_its_way_in_the_first_hundredth() -> None:
    steps = np.arange(1001.0)
    assert early_share(steps, steps, last_level=1000.0) == pytest.approx(0.01, abs=0.002)
    fallen = np.where(steps < 5, 1 - steps / 5, 0.0)
    assert early_share(steps, fallen, last_level=0.0) == pytest.approx(1.0)
    assert early_share(steps[:50], steps[:50], last_level=50.0) is None
