"""Ridge regression in the dual, beside scikit-learn's and beside what must come out."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge as SklearnRidge

from cinelex.metrics import ridge
from cinelex.metrics.ridge import Ridge, ridge_map, ridge_predictions

DRAW = np.random.default_rng(0)


def test_predictions_equal_scikit_learns_ridge_with_an_intercept() -> None:
    inputs, targets = DRAW.normal(size=(12, 40)) + 3, DRAW.normal(size=(12, 5)) - 2
    queries = DRAW.normal(size=(7, 40)) + 3
    centred = inputs - inputs.mean(axis=0)
    penalty = 0.7
    scale = np.linalg.eigvalsh(centred @ centred.T).mean()
    expected = SklearnRidge(alpha=penalty * scale).fit(inputs, targets).predict(queries)
    found = Ridge(inputs @ inputs.T, targets).predict(queries @ inputs.T, penalty=penalty)
    np.testing.assert_allclose(found + targets.mean(axis=0), expected, rtol=1e-8)


def test_a_linear_relation_is_found_on_rows_never_seen() -> None:
    inputs, mixing = DRAW.normal(size=(80, 6)), DRAW.normal(size=(6, 9))
    found = ridge_predictions(
        inputs[:60], (inputs @ mixing)[:60], inputs[60:], groups=np.arange(60)
    )
    truth = (inputs @ mixing)[60:] - (inputs @ mixing)[:60].mean(axis=0)
    assert np.corrcoef(found.ravel(), truth.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_few_rows_and_equal_rows_give_finite_predictions(rows: int) -> None:
    same = np.ones((rows, 4))
    found = ridge_predictions(same, same, same, groups=np.arange(rows))
    np.testing.assert_array_equal(found, np.zeros((rows, 4)))


def penalties() -> set[float]:
    draw = np.random.default_rng(1)
    inputs = draw.normal(size=(60, 40))
    targets = inputs[:, :8] + draw.normal(size=(60, 8))
    groups = np.arange(60)
    return {ridge_map(inputs, targets, groups=groups, seed=100 * seed)[2] for seed in range(6)}


def test_the_penalty_of_few_rows_does_not_hang_on_one_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(penalties()) <= 2
    monkeypatch.setattr(ridge, "MOST_CUTS", 1)
    assert len(penalties()) >= 3
