"""Probing's metrics are those of scikit-learn, of a sample and of its resamples."""

import numpy as np
import pytest
from sklearn import metrics as reference

from cinelex.metrics.probing import (
    auprc,
    auroc,
    balanced_accuracy,
    best_threshold,
    ends,
    mean_absolute_error,
    pearson,
    resampled,
)
from cinelex.metrics.target_ridge import principal_rows, target_ridge

DRAW = np.random.default_rng(0)
TRUTH = DRAW.integers(0, 2, 80).astype(float)
SCORE = np.round(TRUTH * 0.4 + DRAW.random(80), 1)
PATIENT = DRAW.integers(0, 30, 80)


def test_ranking_equals_scikit_learn_with_ties_and_weights() -> None:
    weights = resampled(PATIENT, resamples=5, seed=1)
    for row, mine, area in zip(
        weights, auroc(weights, SCORE, TRUTH), auprc(weights, SCORE, TRUTH), strict=True
    ):
        assert mine == pytest.approx(reference.roc_auc_score(TRUTH, SCORE, sample_weight=row))
        expected = reference.average_precision_score(TRUTH, SCORE, sample_weight=row)
        assert area == pytest.approx(expected)


def test_accuracy_and_errors_equal_scikit_learn() -> None:
    weights, classes = (
        resampled(PATIENT, resamples=5, seed=1),
        DRAW.integers(0, 3, 80).astype(float),
    )
    guess = np.where(DRAW.random(80) < 0.5, classes, 0.0)
    for row, mine, error, together in zip(
        weights,
        balanced_accuracy(weights, guess, classes),
        mean_absolute_error(weights, SCORE, TRUTH),
        pearson(weights, SCORE, TRUTH),
        strict=True,
    ):
        expected = reference.balanced_accuracy_score(classes, guess, sample_weight=row)
        assert mine == pytest.approx(expected)
        assert error == pytest.approx(
            reference.mean_absolute_error(TRUTH, SCORE, sample_weight=row)
        )
        there = np.repeat(np.arange(80), row.astype(int))
        assert together == pytest.approx(np.corrcoef(SCORE[there], TRUTH[there])[0, 1])


def test_the_best_threshold_is_that_of_the_roc_curve() -> None:
    wrong, found, levels = reference.roc_curve(TRUTH, SCORE)
    best = reference.balanced_accuracy_score(TRUTH, best_threshold(SCORE, TRUTH) <= SCORE)
    assert best == pytest.approx(((found - wrong).max() + 1) / 2)
    assert len(levels) > 2


def test_a_constant_answer_scores_its_chance() -> None:
    weights, same = np.ones((1, 80)), np.full(80, 0.3)
    assert auroc(weights, same, TRUTH)[0] == 0.5
    assert auprc(weights, same, TRUTH)[0] == pytest.approx(TRUTH.mean())
    assert balanced_accuracy(weights, np.zeros(80), TRUTH)[0] == 0.5
    assert np.isnan(pearson(weights, same, TRUTH)[0])


def test_an_interval_covers_whole_patients() -> None:
    """Ten copies of each item say nothing new: the interval over patients stays as wide."""
    once, patient = DRAW.random(40), np.arange(40)
    truth = np.zeros(40)
    alone = ends(mean_absolute_error(resampled(patient, resamples=2000, seed=0), once, truth))
    copied = resampled(np.tile(patient, 10), resamples=2000, seed=0)
    many = ends(mean_absolute_error(copied, np.tile(once, 10), np.tile(truth, 10)))
    assert many == pytest.approx(alone)


def test_the_target_ridge_equals_scikit_learn_at_its_penalty() -> None:
    from sklearn.linear_model import RidgeCV

    inputs = DRAW.normal(size=(60, 5))
    target = inputs @ DRAW.normal(size=(5, 2)) + DRAW.normal(size=(60, 2))
    queries = DRAW.normal(size=(7, 5))
    centred = inputs - inputs.mean(axis=0)
    scale = np.linalg.eigvalsh(centred.T @ centred).mean()
    fitted = RidgeCV(alphas=[p * scale for p in (0.01, 0.1, 1.0, 10.0, 100.0)]).fit(inputs, target)
    np.testing.assert_allclose(target_ridge(inputs, target, queries), fitted.predict(queries))


def test_components_of_many_pixels_keep_the_distances_of_few_rows() -> None:
    rows, queries = DRAW.normal(size=(12, 500)), DRAW.normal(size=(3, 500))
    first, _ = principal_rows(rows, queries, 100)
    assert first.shape[1] == 11
    centred = rows - rows.mean(axis=0)
    np.testing.assert_allclose(first @ first.T, centred @ centred.T, atol=1e-8)
