"""Paired differences: what is certain, what is not, and what nobody may claim."""

import numpy as np
import pytest

from cinelex.metrics.paired import paired_difference


def scores(seeds: int, items: int, level: float, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return (random.random((seeds, items)) < level).astype(float)


def test_a_method_is_not_told_apart_from_itself() -> None:
    same = scores(3, 50, 0.5, 0)
    found = paired_difference(same, same)
    assert (found.value, found.low, found.high, found.p_value) == (0.0, 0.0, 0.0, 1.0)
    assert found.verdict == "not told apart"


def test_a_constant_gain_is_certain_and_has_its_sign() -> None:
    first = scores(4, 30, 0.3, 1)
    assert paired_difference(first, first + 0.1).verdict == "higher"
    found = paired_difference(first, first - 0.1)
    assert found.verdict == "lower"
    assert found.value == pytest.approx(-0.1)
    assert found.low == pytest.approx(-0.1)
    assert found.p_value < 0.001


def test_fewer_than_three_seeds_claim_nothing() -> None:
    first = scores(2, 500, 0.3, 1)
    assert paired_difference(first, first + 0.5).verdict == "not told apart: 2 seeds of at least 3"


def test_the_interval_over_items_has_the_normal_width() -> None:
    random = np.random.default_rng(0)
    gap = np.tile(random.normal(0.0, 1.0, 900), (3, 1))
    found = paired_difference(np.zeros_like(gap), gap, resamples=6000)
    assert found.high - found.low == pytest.approx(2 * 1.96 * gap[0].std() / 30, rel=0.06)


def test_a_difference_that_one_seed_makes_is_not_told_apart() -> None:
    first = np.zeros((3, 400))
    second = first.copy()
    second[0] = 0.3
    assert paired_difference(first, second).verdict == "not told apart"


def test_equal_methods_are_told_apart_in_about_one_of_twenty_draws() -> None:
    wrong = sum(
        paired_difference(
            scores(5, 100, 0.4, 2 * trial), scores(5, 100, 0.4, 2 * trial + 1), resamples=300
        ).verdict
        != "not told apart"
        for trial in range(200)
    )
    assert wrong <= 20


def test_what_cannot_be_paired_is_refused() -> None:
    with pytest.raises(ValueError, match="shapes"):
        paired_difference(np.zeros((0, 4)), np.zeros((0, 4)))
    with pytest.raises(ValueError, match="finite"):
        paired_difference(np.zeros((1, 1)), np.full((1, 1), np.nan))
