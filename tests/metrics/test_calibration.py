"""Calibration beside what chance does to a calibrated model."""

import numpy as np
import pytest

from cinelex.metrics.calibration import calibrated_error, calibration_error


def test_the_error_is_the_gap_of_each_bin_by_its_share() -> None:
    probability = np.array([0.1, 0.1, 0.9, 0.9])
    there = np.array([False, True, True, True])
    assert calibration_error(probability, there, bins=2) == pytest.approx((0.4 + 0.1) / 2)
    assert calibration_error(np.array([0.0, 1.0]), np.array([False, True])) == 0


def test_a_calibrated_model_lies_within_its_null_and_one_too_sure_of_itself_above() -> None:
    draw = np.random.default_rng(0)
    probability = draw.uniform(0.2, 0.8, size=2000)
    there = draw.random(2000) < probability
    mean, low, high = calibrated_error(probability)
    assert low is not None
    assert high is not None
    assert 0 < low < mean < high
    assert low < calibration_error(probability, there) < high
    sure = np.where(probability > 0.5, 0.98, 0.02)
    assert calibration_error(sure, there) > (calibrated_error(sure)[2] or 1.0)
