"""Metrics that all move by one share were computed from one another."""

import pytest

from metrics.plausible import moved_alike

BASE = {"recall_at_1": 0.31, "recall_at_5": 0.62, "mrr": 0.44, "ap_at_10": 0.4, "rsum": 310.0}


@pytest.mark.parametrize("factor", [1.0408, 0.9])
def test_one_factor_on_every_metric_is_found(factor: float) -> None:
    moved = {name: value * factor for name, value in BASE.items()}
    assert moved_alike(BASE, moved) == pytest.approx(abs(factor - 1))


def test_ranks_that_fall_by_the_share_by_which_recalls_rise_are_found_too() -> None:
    moved = {name: value * 1.05 for name, value in BASE.items()}
    assert moved_alike({**BASE, "rank": 20.0}, {**moved, "rank": 19.0}) == pytest.approx(0.05)


def test_real_changes_and_no_change_are_not() -> None:
    assert moved_alike(BASE, BASE) is None
    real = {"recall_at_1": 0.34, "recall_at_5": 0.64, "mrr": 0.46, "ap_at_10": 0.42, "rsum": 318.0}
    assert moved_alike(BASE, real) is None


def test_few_metrics_say_nothing() -> None:
    few = {"recall_at_1": 0.2, "mrr": 0.3}
    assert moved_alike(few, {name: 2 * value for name, value in few.items()}) is None
