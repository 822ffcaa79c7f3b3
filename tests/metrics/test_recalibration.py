"""Slope and intercept against scikit-learn, and of probabilities made too bold."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from cinelex.metrics.recalibration import recalibration


def test_equals_unpenalised_logistic_regression() -> None:
    random = np.random.default_rng(0)
    odds = random.standard_normal(500)
    there = random.random(500) < 1 / (1 + np.exp(-(0.5 * odds + 0.3)))
    slope, intercept = recalibration(1 / (1 + np.exp(-odds)), there)
    fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(odds[:, None], there)
    assert slope == pytest.approx(float(fitted.coef_[0, 0]), abs=1e-4)
    assert intercept == pytest.approx(float(fitted.intercept_[0]), abs=1e-4)


def test_one_outcome_says_nothing() -> None:
    assert np.isnan(recalibration(np.array([0.2, 0.4]), np.array([True, True]))).all()
