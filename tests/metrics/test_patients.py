"""Intervals over patients, scores of items that count several times, and subgroups."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score
from statsmodels.api import Logit
from statsmodels.stats.multitest import multipletests

from cinelex.metrics.bootstrap import interval, interval_of_sums, resampled_sums
from cinelex.metrics.calibration import calibration_line, net_benefit, reliability
from cinelex.metrics.paired import paired_difference
from cinelex.metrics.subgroups import benjamini_hochberg, holm, subgroups
from cinelex.metrics.weighted import agreement_of, auroc_of, estimated, less, mean_of

DRAW = np.random.default_rng(0)
SCORE = DRAW.random(200).round(1)
TRUTH = DRAW.random(200) < SCORE
ALL = np.ones((1, 200))


def test_patients_of_one_study_each_change_no_interval() -> None:
    alone = np.arange(200)
    assert interval(SCORE, groups=alone) == interval(SCORE)
    same = resampled_sums(SCORE[:, None], groups=alone)
    np.testing.assert_array_equal(same, resampled_sums(SCORE[:, None]))


def test_studies_that_say_the_same_are_worth_no_more_than_their_patients() -> None:
    four = np.repeat(SCORE, 4)
    owner = np.repeat(np.arange(200), 4)
    table = np.stack([four, np.ones(800)], axis=1)
    own = interval_of_sums(table, statistic=lambda s: s[:, 0] / s[:, 1], groups=owner)
    alone = interval(SCORE)
    assert own[0] == pytest.approx(alone[0], abs=1e-9)
    assert own[1] == pytest.approx(alone[1], abs=1e-9)
    narrow = interval(four)
    assert narrow[1] - narrow[0] < 0.6 * (own[1] - own[0])  # type: ignore[operator]


def test_intervals_over_patients_hold_the_truth_as_often_as_they_say() -> None:
    from benchmarks.patient_intervals import coverage

    held = coverage(trials=300, patients=80, together=True, resamples=200)
    assert 0.91 <= held <= 0.98
    assert coverage(trials=300, patients=80, together=False, resamples=200) < held - 0.04


def test_an_area_under_the_curve_is_that_of_scikit_learn_with_and_without_weights() -> None:
    counts = DRAW.integers(0, 4, size=(3, 200)).astype(float)
    found = auroc_of(SCORE, TRUTH)(np.concatenate([ALL, counts]))
    expected = [roc_auc_score(TRUTH, SCORE, sample_weight=row) for row in (ALL[0], *counts)]
    np.testing.assert_allclose(found, expected)
    brier = mean_of(np.square(SCORE - TRUTH))(ALL)
    assert brier[0] == pytest.approx(brier_score_loss(TRUTH, SCORE))


def test_a_difference_is_paired_on_the_same_resamples() -> None:
    own = mean_of(SCORE)
    gap = estimated(less(own, mean_of(SCORE - 0.25)), np.arange(200) // 2)
    assert gap == pytest.approx({"value": 0.25, "low": 0.25, "high": 0.25})


def test_agreement_is_that_of_bland_and_altman() -> None:
    truth = DRAW.normal(50, 10, size=200)
    said = 5 + 0.5 * truth
    found = {name: float(of(ALL)[0]) for name, of in agreement_of(said, truth).items()}
    gap = said - truth
    assert found["bias"] == pytest.approx(gap.mean())
    assert found["limit_high"] == pytest.approx(gap.mean() + 1.96 * gap.std(ddof=1))
    assert found["mae"] == pytest.approx(np.abs(gap).mean())
    assert found["sd_ratio"] == pytest.approx(0.5)
    assert found["slope"] == pytest.approx(0.5)
    assert found["within_10"] == np.mean(np.abs(gap) <= 10)


def test_the_calibration_line_is_that_of_statsmodels() -> None:
    probability = SCORE.clip(0.05, 0.95)
    odds = np.log(probability / (1 - probability))
    fitted = Logit(TRUTH.astype(float), np.stack([odds, np.ones(200)], axis=1)).fit(disp=0)
    np.testing.assert_allclose(calibration_line(probability, TRUTH), fitted.params, rtol=1e-5)
    assert np.isnan(calibration_line(probability, np.ones(200, bool))).all()


def test_net_benefit_of_acting_on_all_is_the_share_less_the_odds() -> None:
    there = np.array([True, False, False, False])
    assert net_benefit(np.ones(4), there, 0.2) == pytest.approx(0.25 - 0.75 * 0.25)
    assert net_benefit(np.zeros(4), there, 0.2) == 0
    bins = np.array(reliability(np.array([0.1, 0.2, 0.8, 0.9]), there, bins=2))
    np.testing.assert_allclose(bins, [(0.15, 0.5, 2), (0.85, 0.0, 2)])


def test_corrections_are_those_of_statsmodels() -> None:
    p_values = [0.01, 0.04, 0.03, 0.005, 0.5]
    np.testing.assert_allclose(holm(p_values), multipletests(p_values, method="holm")[1])
    np.testing.assert_allclose(
        benjamini_hochberg(p_values), multipletests(p_values, method="fdr_bh")[1]
    )


def test_the_weak_subgroup_is_found_and_one_too_small_is_not_judged() -> None:
    sex = np.array(["F", "M"] * 98 + ["X"] * 4)
    values = np.where(sex == "F", 0.2, 0.8) + DRAW.normal(0, 0.1, size=200)
    found = {one.value: one for one in subgroups({"sex": sex.tolist()}, values, np.arange(200))}
    assert found["F"].items == 98
    assert found["F"].effect is not None
    assert found["F"].effect < -1.5
    assert found["F"].p_value is not None
    assert found["F"].p_value < 1e-6
    assert found["X"].p_value is None


def test_eleven_misses_at_a_quarter_are_hardly_beyond_chance() -> None:
    """Their own spread is 0; with that of all, z is 2.05 (Fisher's exact test: p 0.06)."""
    hits = np.repeat([0.0, 1.0, 0.0], [11, 20, 49])
    few = subgroups({"videos": ["4"] * 11 + ["3"] * 69}, hits, np.arange(80))[1]
    assert few.score == 0.0
    assert few.p_value == pytest.approx(0.04, abs=0.01)


def test_seeds_and_patients_are_drawn_together() -> None:
    first = DRAW.random((3, 200))
    second = first + np.repeat(DRAW.normal(0.1, 1, size=50), 4)
    alone = paired_difference(first, second)
    together = paired_difference(first, second, groups=np.repeat(np.arange(50), 4))
    assert together.value == alone.value
    assert together.high - together.low > 1.5 * (alone.high - alone.low)
