"""Calibration beside what chance does to a calibrated model."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from cinelex.metrics.calibration import calibrated_error, calibration_error, calibration_line


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


def test_the_line_is_that_of_unpenalised_logistic_regression() -> None:
    random = np.random.default_rng(0)
    odds = random.standard_normal(500)
    there = random.random(500) < 1 / (1 + np.exp(-(0.5 * odds + 0.3)))
    slope, intercept = calibration_line(1 / (1 + np.exp(-odds)), there)
    fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(odds[:, None], there)
    assert slope == pytest.approx(float(fitted.coef_[0, 0]), abs=1e-4)
    assert intercept == pytest.approx(float(fitted.intercept_[0]), abs=1e-4)


def test_there_is_no_line_where_one_outcome_is_missing() -> None:
    assert np.isnan(calibration_line(np.array([0.2, 0.4]), np.array([True, True]))).all()
