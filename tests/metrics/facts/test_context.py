"""Hedges, earlier studies, and sentences that go on about a lesion."""

import pytest

from cinelex.metrics.facts import Fact, parse


def stenoses(report: str) -> list[tuple[str, float, float]]:
    facts = [fact for fact in parse(report) if fact.attribute == "stenosis"]
    assert not any(fact.negated for fact in facts)
    return [(fact.segment, fact.low, fact.high) for fact in facts]


@pytest.mark.parametrize(
    "sentence",
    [
        "Mid LAD: previously 50%, now 70%.",
        "Mid LAD 70% (previously ~50 %).",
        "Mid LAD 70% (2019: 50%).",
        "Mid LAD 70% versus 50% in 2019.",
        "Mid LAD stenosis has progressed from 50% to 70%.",
        "Formerly 50%, the mid LAD is now narrowed by 70%.",
        "In 2019 50 %, now 70% stenosis of the mid LAD.",
        "70% stenosis of the mid LAD, unchanged from the coronary angiogram of 12.03.2021.",
        "No significant change of the 70% stenosis of the mid LAD since 2019.",
        "70% stenosis of the mid LAD. No new lesion since 2019.",
        "70% stenosis of the mid LAD. It was 50% in the study of 2019.",
        "Sténose de l'IVA moyenne, auparavant 50 %, maintenant 70 %.",
        "Zunahme der Stenose der mittleren LAD von 50 % auf 70 %.",
    ],
)
def test_what_an_earlier_study_showed_is_no_fact_of_this_one(sentence: str) -> None:
    assert parse(sentence) == [Fact("mid_lad", "stenosis", 70.0, 70.0)]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Stenosis ranging from 50% to 70% of the mid LAD.", [("mid_lad", 50, 70)]),
        ("There was a 70% stenosis of the mid LAD.", [("mid_lad", 70, 70)]),
        ("Mid RCA 60% since 2019.", [("mid_rca", 60, 60)]),
        ("Previously stented mid LAD with 70% restenosis.", [("mid_lad", 70, 70)]),
    ],
)
def test_what_only_looks_like_an_earlier_study_is_a_fact(
    sentence: str, expected: list[tuple[str, float, float]]
) -> None:
    assert stenoses(sentence) == expected


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        ("There is a lesion in the mid LAD. It is eccentric. Severity 70%.", [("mid_lad", 70, 70)]),
        ("Severe stenosis of the mid LAD. It measures 80%.", [("mid_lad", 80, 80)]),
        ("The mid LAD is diseased. The stenosis is severe.", [("mid_lad", 70, 99)]),
        ("40% stenosis of D1. It is not significant.", [("d1", 40, 40)]),
        ("40% stenosis of D1. It is moderate.", [("d1", 40, 40)]),
        ("Lesions of the mid LAD and D1. The stenosis is 70%.",
         [("mid_lad", 1, 100), ("d1", 1, 100), ("coronary", 70, 70)]),
        ("Lesion of D1. The stenosis of the PDA is 70%.", [("d1", 1, 100), ("pda", 70, 70)]),
    ],
)  # fmt: skip
def test_a_sentence_may_go_on_about_the_lesion_before_it(
    report: str, expected: list[tuple[str, float, float]]
) -> None:
    assert stenoses(report) == expected


def test_a_hedge_holds_for_what_goes_on_about_its_lesion() -> None:
    assert parse("Possible lesion of OM2. It narrows the lumen by 60%.") == [
        Fact("om2", "stenosis", 60.0, 60.0, uncertain=True)
    ]
    for report in (
        "Verdacht auf 70%ige Stenose der mittleren LAD.",
        "Une sténose de 70 % de l'IVA moyenne ne peut être exclue.",
    ):
        assert parse(report) == [Fact("mid_lad", "stenosis", 70.0, 70.0, uncertain=True)]
