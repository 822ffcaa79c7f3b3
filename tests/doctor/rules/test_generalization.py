"""What holds on other studies: overtraining, what is lost there, and the closed form beside it."""

from dataclasses import replace

import numpy as np
import pytest

from cinelex.projects.interface.results import Group, Results
from tests.doctor.records import HEALTHY, RESULTS, found
from tests.doctor.rules.sick import beside_ridge, with_results


def test_held_out_losses_are_compared_with_the_chance_of_their_own_batch() -> None:
    losses = {**RESULTS["losses"], "contrastive": {"value": 2.485, "chance": 2.485}}
    (finding,) = found(with_results(losses=losses), "D21")
    assert finding.measured == pytest.approx(1.0)


def test_held_out_losses_that_only_waver_are_no_overtraining() -> None:
    draw = np.random.default_rng(0)
    wavering = [
        {
            "step": step,
            "losses/contrastive": 1.0 + float(draw.normal(0, 0.02)),
            "losses/contrastive/chance": 2.485,
        }
        for step in range(20, 300, 20)
    ]
    assert found(replace(HEALTHY, validations=wavering), "N15") == []


def test_held_out_losses_that_jumped_past_chance_are_overtraining_without_a_trend() -> None:
    # of a tiny model that read 96 studies for 250 steps: 0.02 in training
    since = (2.96, 3.47, 2.97, 4.19, 3.06, 2.97, 3.15, 3.78, 3.09, 3.38, 3.19, 3.24, 3.34, 3.44)
    jumped = [
        {"step": step, "losses/contrastive": value, "losses/contrastive/chance": 2.75}
        for step, value in zip(range(20, 320, 20), (2.2, *since), strict=True)
    ]
    (finding,) = found(replace(HEALTHY, validations=jumped), "N15")
    assert finding.measured == pytest.approx((3.34 - 2.2) / (2.75 - 2.2))


def test_before_the_last_evaluation_the_newest_validation_is_what_was_held_out() -> None:
    row = {"step": 280, "losses/contrastive": 2.485, "losses/contrastive/chance": 2.485}
    (finding,) = found(replace(HEALTHY, results=None, validations=[row]), "D21")
    assert finding.measured == pytest.approx(1.0)


def test_a_model_above_the_ridge_is_not_named() -> None:
    assert found(beside_ridge(0.05), "N21") == []


def test_one_recall_of_several_just_below_a_closed_form_is_a_note() -> None:
    scores = [
        score
        for margin in (-0.02, 0.2, 0.2)
        for score in (beside_ridge(margin).results or Results(groups=[])).scores()
        if "ridge_pixels" in score.nulls
    ]
    both = Results(groups=[Group(title="", note="", scores=scores)])
    (finding,) = found(replace(HEALTHY, results=both), "N21")
    assert finding.severity == "note"
