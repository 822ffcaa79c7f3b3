"""Balanced accuracy, clusters and curves, against scikit-learn, by hand, and at their nulls."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from cinelex.metrics.classification import balanced_accuracy
from cinelex.metrics.clusters import separation
from cinelex.metrics.curves import (
    distance_to_nearest,
    morph_quality,
    rms_difference,
    spectral_tilt,
)

RANDOM = np.random.default_rng(0)
HZ = np.geomspace(20, 20000, 64)
OCTAVES = np.log2(HZ / 632.0)


def test_balanced_accuracy_is_scikit_learns_and_its_interval_resamples_people() -> None:
    truth = RANDOM.random(300) < 0.2
    predicted = truth ^ (RANDOM.random(300) < 0.1)
    alone = balanced_accuracy(predicted, truth, np.arange(300), resamples=500)
    assert alone.value == pytest.approx(balanced_accuracy_score(truth, predicted))
    assert alone.low is not None
    assert alone.high is not None
    assert alone.low < balanced_accuracy_score(truth, predicted) < alone.high
    copies = np.repeat(np.arange(300), 10)
    many = balanced_accuracy(predicted[copies], truth[copies], copies, resamples=500)
    assert many.value == pytest.approx(alone.value)
    assert many.low is not None
    assert many.low == pytest.approx(alone.low, abs=0.02), "copies of a person say nothing new"


def test_a_constant_answer_scores_a_half_and_one_class_alone_is_undefined() -> None:
    truth = np.array([True, False, False, False])
    assert balanced_accuracy(np.zeros(4, bool), truth, np.arange(4)).value == 0.5
    assert balanced_accuracy(np.zeros(3, bool), truth[1:], np.arange(3)).value is None


def test_clusters_are_far_from_their_shuffled_labels_and_noise_is_not() -> None:
    label = np.repeat([0, 1], 40)
    rows = RANDOM.normal(size=(80, 3))
    apart, noise = separation(rows + 20 * label[:, None], label), separation(rows, label)
    assert apart is not None
    assert noise is not None
    assert apart.silhouette > 0.9 > 0.1 > abs(apart.shuffled_silhouette)
    assert apart.davies_bouldin < 0.2 < 3 < apart.shuffled_davies_bouldin
    assert abs(noise.silhouette - noise.shuffled_silhouette) < 0.05
    assert separation(rows, np.zeros(80, np.int64)) is None


def test_the_tilt_of_a_straight_line_is_its_slope_an_octave() -> None:
    slopes = np.array([3.0, -1.5, 0.0])
    curves = slopes[:, None] * OCTAVES + 7.0
    np.testing.assert_allclose(spectral_tilt(curves, HZ), slopes, atol=1e-12)


def test_a_straight_morph_is_perfect_and_a_shuffled_or_reversed_one_is_not() -> None:
    share = np.linspace(0, 1, 11)
    first, last = -2.0 * OCTAVES, 2.0 * OCTAVES
    curves = (1 - share)[:, None] * first + share[:, None] * last
    good = morph_quality(curves, HZ, first=first, last=last)
    assert (good.spearman, good.monotone) == (1.0, 1.0)
    assert good.first_error_db == good.last_error_db == 0.0
    back = morph_quality(curves[::-1], HZ, first=first, last=last)
    assert (back.spearman, back.monotone) == (-1.0, 0.0)
    assert back.first_error_db == pytest.approx(rms_difference(first[None], last[None]))
    still = morph_quality(np.repeat(first[None], 11, axis=0), HZ, first=first, last=last)
    assert (still.spearman, still.monotone) == (None, 0.0)
    mixed = [
        morph_quality(RANDOM.permutation(curves), HZ, first=first, last=last) for _ in range(200)
    ]
    assert abs(np.mean([m.spearman for m in mixed if m.spearman is not None])) < 0.1
    assert np.mean([m.monotone for m in mixed]) == pytest.approx(0.5, abs=0.06)


def test_the_nearest_curve_is_found_and_its_distance_is_in_db() -> None:
    known = np.stack([np.zeros(64), np.full(64, 5.0)])
    found = distance_to_nearest(np.stack([np.full(64, 1.0), np.full(64, 4.5)]), known)
    np.testing.assert_allclose(found, [1.0, 0.5])
