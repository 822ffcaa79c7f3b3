"""Scores of facts have their hand-made values."""

import math
from dataclasses import asdict

import numpy as np
import pytest

from cinelex.metrics.facts import (
    COUNTS,
    fact_counts,
    from_counts,
    rates,
    score_facts,
)


def test_scores_of_two_studies_have_their_values_by_hand() -> None:
    scores = score_facts(
        [
            "Mid LAD 70%. OM1 50%. RCA is normal. TIMI 3 flow.",
            "Proximal RCA 90%. The left main is free of disease.",
        ],
        [
            "Mid LAD 60%. Proximal RCA 40%. TIMI 3 flow.",
            "Proximal RCA 70%. Left main 30%.",
        ],
    )
    assert scores.lesion_f1_10pp == pytest.approx(2 * 1 / (3 + 4))
    assert scores.lesion_f1_segment == pytest.approx(2 * 2 / (3 + 4))
    assert scores.lesion_f1_vessel == pytest.approx(2 * 2 / (3 + 4))
    assert scores.severity_f1_50 == pytest.approx(2 * 2 / (3 + 2))
    assert scores.severity_f1_70 == pytest.approx(2 * 1 / (2 + 1))
    assert scores.number_recall == pytest.approx(0 / 3)
    assert scores.hallucination_rate == pytest.approx(2 / 4)
    assert scores.omission_rate == pytest.approx(1 / 3)
    assert scores.contradiction_rate == pytest.approx(2 / 5)
    assert scores.mae == pytest.approx((10 + 50 + 40 + 20 + 30) / 5)
    assert scores.other_facts_f1 == 1.0
    assert scores.parse_coverage == 1.0


def test_a_report_scores_full_marks_against_itself() -> None:
    report = "Left dominant. Mid LAD 70%, RCA occluded. Other vessels without stenosis."
    scores = asdict(score_facts([report], [report]))
    assert all(scores[name] == 1 for name in scores if "f1" in name or "coverage" in name)
    assert scores["number_recall"] == 1
    assert [scores[name] for name in scores if name.endswith("_rate")] == [0, 0, 0]
    assert scores["mae"] == 0


def test_nothing_to_score_is_undefined_and_not_perfect() -> None:
    scores = score_facts(["Normal coronary arteries."], ["Normal coronary arteries."])
    assert scores.lesion_f1_10pp is None
    assert scores.number_recall is None
    assert scores.hallucination_rate is None
    assert scores.omission_rate is None
    assert scores.mae is None
    assert scores.parse_coverage == 1.0


def test_a_vague_severity_is_no_hit_within_ten_points() -> None:
    assert score_facts(["D1 70%."], ["D1 80%."]).lesion_f1_10pp == 1.0
    assert score_facts(["D1 70%."], ["D1 81%."]).lesion_f1_10pp == 0.0
    assert score_facts(["D1 70%."], ["Severe D1 stenosis."]).lesion_f1_10pp == 0.0
    assert score_facts(["Severe D1 stenosis."], ["D1 75%."]).lesion_f1_10pp == 1.0


def test_a_lesion_of_the_whole_vessel_is_neither_hallucinated_nor_omitted() -> None:
    scores = score_facts(["Mid LAD 70%."], ["LAD 70%."])
    assert scores.lesion_f1_segment == 0.0
    assert scores.lesion_f1_vessel == 1.0
    assert scores.hallucination_rate == 0.0
    assert scores.omission_rate == 0.0


def test_a_denial_that_leaves_the_lesion_open_does_not_contradict_it() -> None:
    mild, severe = "Mid RCA 40%.", "Mid RCA 80%."
    assert score_facts([mild], ["RCA: no significant stenosis."]).contradiction_rate == 0.0
    assert score_facts([severe], ["RCA: no significant stenosis."]).contradiction_rate == 1.0
    assert score_facts(["RCA is normal."], [mild]).contradiction_rate == 1.0


def test_counts_add_up_over_studies() -> None:
    references = ["Mid LAD 70%.", "OM1 50%, PDA 30%.", "Normal coronary arteries."]
    candidates = ["Mid LAD 60%.", "OM1 90%.", "D1 40%."]
    pairs = list(zip(references, candidates, strict=True))
    counts = np.stack([fact_counts(*pair) for pair in pairs])
    assert counts.shape == (3, len(COUNTS))
    assert from_counts(counts.sum(axis=0)) == score_facts(references, candidates)
    batched = rates(counts)
    for row, pair in enumerate(pairs):
        for name, value in asdict(score_facts(*([text] for text in pair))).items():
            found = float(batched[name][row])
            assert math.isnan(found) if value is None else found == value


def test_unequal_numbers_of_reports_are_refused() -> None:
    with pytest.raises(ValueError, match="as many candidates"):
        score_facts(["D1 70%."], [])
    with pytest.raises(ValueError, match="at least one"):
        score_facts([], [])


def test_errors_weigh_what_they_mean_for_the_patient() -> None:
    truth = "Left main 70%. First diagonal 30%."  # 5 * 2 and 1 * 0.5
    without_main, without_diagonal = ("First diagonal 30%.", "Left main 70%.")
    assert score_facts([truth], [without_main]).graded_omission == pytest.approx(10 / 10.5)
    assert score_facts([truth], [without_diagonal]).graded_omission == pytest.approx(0.5 / 10.5)
    assert score_facts([truth], [without_main]).omission_rate == 0.5, "plainly they are alike"
    slighter = score_facts([truth], ["Left main 30%. First diagonal 30%."])
    assert slighter.graded_omission == pytest.approx((10 - 2.5) / 10.5)
    assert slighter.graded_hallucination == 0
    invented = score_facts([truth], [f"{truth} Occlusion of the mid RCA."])
    assert invented.graded_hallucination == pytest.approx(5 / 15.5)
    denied = score_facts([truth], ["No stenosis of the left main. First diagonal 30%."])
    assert denied.graded_contradiction == pytest.approx(10 / 10.5)
    assert score_facts(["Normal."], ["Normal."]).graded_omission is None
