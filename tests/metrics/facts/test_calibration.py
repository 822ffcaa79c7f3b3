"""Probabilities and values that are fitted on a few held-out studies."""

import numpy as np

from cinelex.metrics.facts.calibration import Presence, Scale, best_threshold, nearest_stated


def test_a_logistic_truth_is_found_again() -> None:
    draw = np.random.default_rng(0)
    score = draw.normal(size=20_000)
    there = draw.random(20_000) < 1 / (1 + np.exp(-(2 * score - 1)))
    fitted = Presence.fit(score, there)
    assert abs(fitted.slope - 2) < 0.1
    assert abs(fitted.offset + 1) < 0.1
    # what is fitted by maximum likelihood with an offset has the right mean
    assert abs(fitted.probability(score).mean() - there.mean()) < 1e-3


def test_perfectly_parted_scores_have_a_finite_answer() -> None:
    score = np.repeat([0.0, 1.0], 20)
    fitted = Presence.fit(score, score > 0.5)
    assert np.isfinite([fitted.slope, fitted.offset]).all()
    assert ((fitted.probability(score) >= fitted.threshold) == (score > 0.5)).all()


def test_too_few_answers_leave_the_score_as_it_is() -> None:
    assert Presence.fit(np.arange(12.0), np.arange(12) < 3) == Presence()
    assert Scale.fit(np.ones((5, 2)), np.arange(5.0)) == Scale((0.0, 1.0))


def test_the_threshold_of_the_best_f1_by_hand() -> None:
    # saying the first two: F1 = 2*2/(2+3) = 0.8; the first four: 2*3/(4+3) = 0.857
    chance = np.array([0.9, 0.8, 0.6, 0.5, 0.1])
    there = np.array([True, True, False, True, False])
    assert best_threshold(chance, there) == 0.3


def test_shrinkage_and_bias_are_undone() -> None:
    truth = np.linspace(30, 100, 29)
    scale = Scale.fit((0.5 * truth + 20)[:, None], truth)
    np.testing.assert_allclose(scale.value(np.array([[45.0]])), [50.0])


def test_shrinkage_at_the_ends_of_the_range_is_undone() -> None:
    truth = np.linspace(30, 100, 30)
    said = 20 + np.sqrt(100 * truth)  # truth = (said - 20)² / 100
    scale = Scale.fit(np.stack([said - 5, said + 5], axis=1), truth)
    np.testing.assert_allclose(scale.value(np.array([[85.0, 95.0]])), [49.0], atol=1e-6)


def test_a_value_is_the_median_and_no_outlier_moves_it() -> None:
    truth = np.linspace(30, 100, 29)
    answers = np.where(np.arange(29) % 6 == 3, truth[::-1], truth)
    scale = Scale.fit(answers[:, None], truth)
    np.testing.assert_allclose(scale.value(np.array([[62.0]])), [62.0], atol=1e-6)


def test_values_are_said_as_reports_say_them() -> None:
    said = nearest_stated(np.array([[34.0, 96.0]]), np.array([30.0, 40.0, 90.0, 100.0]))
    assert said.tolist() == [[30.0, 100.0]]
