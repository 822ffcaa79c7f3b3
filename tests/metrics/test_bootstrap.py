"""Bootstrap intervals against closed forms and a resample by hand."""

import math

import numpy as np
import pytest

from cinelex.metrics.bootstrap import (
    interval,
    interval_of_sums,
    interval_of_unanimous,
    mean,
    median,
    resampled_sums,
)


def _normal(count: int = 400) -> np.ndarray:
    return np.random.default_rng(1).normal(2.0, 3.0, size=count)


def test_the_interval_of_a_mean_is_that_of_the_central_limit_theorem() -> None:
    values = _normal()
    low, high = interval(values, resamples=20_000, seed=3)
    half = 1.96 * values.std() / math.sqrt(len(values))
    assert low == pytest.approx(values.mean() - half, abs=0.03)
    assert high == pytest.approx(values.mean() + half, abs=0.03)


def test_it_covers_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(5)
    ends = [interval(generator.normal(size=60), resamples=400, seed=i) for i in range(300)]
    covered = np.mean(
        [low is not None and high is not None and low <= 0 <= high for low, high in ends]
    )
    assert 0.90 < covered < 0.98


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    values = _normal(50)
    assert interval(values, seed=1) == interval(values, seed=1)
    assert interval(values, seed=1) != interval(values, seed=2)


def test_a_median_stays_within_the_values_and_equals_the_loop() -> None:
    values = _normal(31)
    generator = np.random.default_rng(9)
    drawn = [np.median(values[generator.integers(0, 31, size=31)]) for _ in range(200)]
    low, high = interval(values, statistic=median, resamples=200, seed=9)
    assert (low, high) == tuple(np.percentile(drawn, [2.5, 97.5]))


def test_equal_values_have_an_interval_without_width() -> None:
    assert interval(np.full(7, 0.25)) == (0.25, 0.25)


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_items_say_nothing_about_the_spread(count: int) -> None:
    assert interval(np.ones(count)) == (None, None)
    assert interval_of_sums(np.ones((count, 2)), statistic=lambda sums: sums[:, 0]) == (None, None)


def test_values_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="1 of 3 values"):
        interval(np.array([0.0, np.nan, 1.0]))
    with pytest.raises(ValueError, match="1 of 2 values"):
        interval_of_sums(np.array([[np.inf, 1.0]]), statistic=lambda sums: sums[:, 0])


def test_sums_over_items_agree_with_means_over_items() -> None:
    values = _normal()
    by_sums = interval_of_sums(
        np.stack([values, np.ones_like(values)], axis=1),
        statistic=lambda sums: sums[:, 0] / sums[:, 1],
        resamples=20_000,
    )
    by_items = interval(values, statistic=mean, resamples=20_000)
    assert by_sums == pytest.approx(by_items, abs=0.02)


def test_columns_share_the_items_of_a_resample() -> None:
    counts = np.random.default_rng(0).normal(size=(20, 1))
    sums = resampled_sums(np.concatenate([counts, 3 * counts], axis=1), resamples=50)
    np.testing.assert_allclose(sums[:, 1], 3 * sums[:, 0], atol=1e-12)


def test_chunks_of_resamples_do_not_lose_any(monkeypatch: pytest.MonkeyPatch) -> None:
    values = _normal(40)
    whole = interval(values, resamples=101, seed=4)
    monkeypatch.setattr("cinelex.metrics.bootstrap._DRAWS_AT_ONCE", 400)
    assert interval(values, resamples=101, seed=4) == whole
    assert resampled_sums(values[:, None], resamples=101).shape == (101, 1)


def test_resamples_with_nothing_to_score_are_left_out() -> None:
    counts = np.array([[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    ends = interval_of_sums(counts, statistic=lambda sums: sums[:, 0] / sums[:, 1])
    assert ends == (1.0, 1.0)
    nothing = np.zeros((3, 2))
    ratio = interval_of_sums(nothing, statistic=lambda sums: sums[:, 0] / sums[:, 1])
    assert ratio == (None, None)


def test_items_that_all_agree_leave_room_for_those_not_seen() -> None:
    low, high = interval_of_unanimous(0.0, 50)
    assert low == 0.0
    assert high is not None
    assert (1 - high) ** 50 == pytest.approx(0.025)
    mirrored, top = interval_of_unanimous(1.0, 50)
    assert top == 1.0
    assert mirrored == pytest.approx(1 - high)
    assert interval_of_unanimous(1.0, 1) == (None, None)
    with pytest.raises(ValueError, match="0 or 1"):
        interval_of_unanimous(0.5, 10)
