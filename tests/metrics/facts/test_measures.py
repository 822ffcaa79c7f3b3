"""Echo reports: numbers, grades, and what is there, in the terms of the vocabulary."""

import numpy as np
import pytest

from cinelex.metrics.facts.claims import claims_of, with_value
from cinelex.metrics.facts.measures import read_measures
from cinelex.metrics.facts.targets import columns_of, fact_targets
from cinelex.metrics.facts.vocabulary import vocabulary

WORDS = vocabulary("echo")


@pytest.mark.parametrize(
    ("report", "facts"),
    [
        ("LVEF is estimated at 55-60%.", {"ejection_fraction": (55, 60)}),
        ("Ejection fraction of 35 percent.", {"ejection_fraction": (35, 35)}),
        ("The LV ejection fraction is about 62 %.", {"ejection_fraction": (62, 62)}),
        ("45% EF.", {"ejection_fraction": (45, 45)}),
        ("Previously EF 50%, now 35%.", {"ejection_fraction": (35, 35)}),
        ("EF was 250 ms.", {}),
        ("Mean gradient 42 mmHg.", {"aortic_mean_gradient": (42, 42)}),
        (
            "Peak gradient of 64 mmHg, mean gradient of 38 mmHg.",
            {"aortic_peak_gradient": (64, 64), "aortic_mean_gradient": (38, 38)},
        ),
        ("Peak velocity 4.2 m/s.", {"aortic_peak_velocity": (4.2, 4.2)}),
        ("RVSP 35 mmHg.", {"right_ventricular_systolic_pressure": (35, 35)}),
        ("Severe aortic stenosis.", {"aortic_stenosis": (3, 3)}),
        ("Mild to moderate mitral regurgitation.", {"mitral_regurgitation": (1, 2)}),
        ("Mitral regurgitation is moderate.", {"mitral_regurgitation": (2, 2)}),
        ("No aortic stenosis.", {"aortic_stenosis": (0, 0)}),
        (
            "Trace TR, mild MR and no aortic regurgitation.",
            {
                "tricuspid_regurgitation": (0.5, 0.5),
                "mitral_regurgitation": (1, 1),
                "aortic_regurgitation": (0, 0),
            },
        ),
        ("2+ mitral regurgitation.", {"mitral_regurgitation": (2, 2)}),
        ("Left atrium is mildly dilated.", {"left_atrial_dilation": (1, 1)}),
        ("Left atrial size is normal.", {"left_atrial_dilation": (0, 0)}),
        ("Severely dilated left ventricle.", {"left_ventricular_dilation": (3, 3)}),
        ("No regional wall motion abnormalities.", {"wall_motion_abnormality": (0, 0)}),
        ("Akinesis of the apex.", {"wall_motion_abnormality": (1, 1)}),
        ("There is no pericardial effusion.", {"pericardial_effusion": (0, 0)}),
        ("Small pericardial effusion.", {"pericardial_effusion": (1, 1)}),
        ("A pacemaker lead is seen.", {"pacemaker": (1, 1)}),
        ("A fine day.", {}),
    ],
)
def test_what_a_sentence_states(report: str, facts: dict[str, tuple[float, float]]) -> None:
    found = read_measures(report, "echo").facts
    assert {fact.attribute: (fact.low, fact.high) for fact in found} == facts


def test_a_report_becomes_targets_and_silence_stays_open() -> None:
    names = [column.name for column in columns_of(WORDS)]
    report = "LVEF 55-60%. Moderate mitral regurgitation."
    row = fact_targets([report], WORDS, silence="vocabulary")[0]
    found = dict(zip(names, row.tolist(), strict=True))
    assert found["ejection_fraction.study.level"] == [55.0, 60.0]
    assert found["mitral_regurgitation.study.level"] == [2.0, 2.0]
    assert np.isnan(found["aortic_stenosis.study.level"]).all()
    assert found["pericardial_effusion.study.level"] == [0.0, 0.0]


def test_a_sentence_can_be_told_another_ejection_fraction() -> None:
    claim = ("ejection_fraction", "study", 55.0)
    assert claims_of("LVEF is 55%.", WORDS) == {claim}
    assert with_value("LVEF is 55%.", claim, 40.0, WORDS) == "LVEF is 40%."
    assert claims_of("LVEF is 55-60%.", WORDS) == frozenset()
