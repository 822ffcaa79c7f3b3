"""Metrics that all moved by one factor, and those that only nearly did."""

import numpy as np
import pytest

from cinelex.metrics.equal_factor import Rounded, equal_factor, written

BASE = {"r1": 41.2, "r5": 70.1, "r10": 81.3, "map": 52.9}


def _rounded(values: dict[str, float], half_unit: float = 0.05) -> dict[str, Rounded]:
    unit = 2 * half_unit
    return {name: Rounded(round(v / unit) * unit, half_unit) for name, v in values.items()}


@pytest.mark.parametrize("half_unit", [0.05, 0.0005])
@pytest.mark.parametrize("less", [1 / 1.0408, 1 - 0.0408])
def test_a_baseline_times_a_factor_is_seen_behind_its_rounding(
    less: float, half_unit: float
) -> None:
    before = BASE | {"median_rank": 14.0}
    after = {name: 1.0408 * value for name, value in BASE.items()} | {"median_rank": 14.0 * less}
    found = equal_factor(_rounded(before, half_unit), _rounded(after, half_unit))
    assert found is not None
    assert found.change == pytest.approx(0.0408, abs=0.001)
    assert found.names == tuple(before)


def test_measured_changes_are_not_flagged_more_often_than_promised() -> None:
    draws = np.random.default_rng(0)
    flagged = 0
    for _ in range(1000):
        after = {name: value * (1 + draws.uniform(0, 0.08)) for name, value in BASE.items()}
        flagged += equal_factor(_rounded(BASE), _rounded(after)) is not None
    assert flagged <= 10 + 3 * np.sqrt(10)


def test_two_metrics_coarse_digits_and_no_change_say_nothing() -> None:
    after = {name: 1.05 * value for name, value in BASE.items()}
    two = {name: BASE[name] for name in ("r1", "r5")}
    assert equal_factor(_rounded(two), _rounded(after)) is None
    coarse = _rounded({"a": 3.0, "b": 4.0, "c": 5.0}, 0.5)
    assert equal_factor(coarse, _rounded({"a": 4.0, "b": 5.0, "c": 7.0}, 0.5)) is None
    assert equal_factor(_rounded(BASE), _rounded(BASE)) is None


def test_one_number_under_three_names_is_one_metric() -> None:
    before = dict.fromkeys(("loss", "val_loss", "best_val_loss"), written(0.5))
    after = dict.fromkeys(before, written(0.43127))
    assert equal_factor(before, after) is None


@pytest.mark.parametrize(("value", "half_unit"), [(0.4412, 5e-5), (0.2, 1e-4), (14.0, 0.007)])
def test_a_number_is_as_exact_as_it_is_written_to_three_digits_at_least(
    value: float, half_unit: float
) -> None:
    assert written(value).half_unit == pytest.approx(half_unit)
    assert written(1 / 3).half_unit < 1e-15


def test_full_metrics_cannot_move_and_are_left_out() -> None:
    before = {name: value / 100 for name, value in BASE.items()}
    after = {name: 1.0408 * value for name, value in before.items()}
    found = equal_factor(
        {name: written(value) for name, value in {**before, "r50": 1.0}.items()},
        {name: written(value) for name, value in {**after, "r50": 1.0}.items()},
    )
    assert found is not None
    assert found.names == tuple(BASE)
