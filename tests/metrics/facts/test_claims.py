"""What a single sentence claims, and how its number is changed."""

import pytest

from cinelex.metrics.facts.claims import (
    claims_of,
    passages,
    plain_sentence,
    sentences,
    with_value,
)

MILD = "Mild stenosis (30%) in the PDA."
PDA = ("stenosis", "pda", 30.0)


@pytest.mark.parametrize(
    ("sentence", "claims"),
    [
        (MILD, {PDA}),
        ("The RCA is normal.", {("stenosis", "rca", 0.0)}),
        (
            "No significant stenosis in the LM and LCX.",
            {("stenosis", "left_main", 0.0), ("stenosis", "lcx", 0.0)},
        ),
        ("Flow is TIMI 3.", {("flow", "study", 3.0)}),
        ("Severe stenosis of the mid LAD.", set()),
        ("50-70% stenosis of the mid LAD.", set()),
        ("Possible 50% stenosis of the mid LAD.", set()),
        ("The remaining vessels are free of stenosis.", set()),
        ("It narrows the lumen by 50%.", set()),
        ("Lesion of the PDA. It narrows the lumen by 30%.", {PDA}),
        ("PDA: previously 50%, now 30%.", {PDA}),
        ("A fine day.", set()),
    ],
)
def test_only_exact_sentences_claim(sentence: str, claims: set[tuple[str, str, float]]) -> None:
    assert claims_of(sentence) == claims


def test_a_number_changes_where_the_words_around_it_still_fit() -> None:
    assert with_value(MILD, PDA, 40.0) == "Mild stenosis (40%) in the PDA."
    assert with_value(MILD, PDA, 80.0) is None
    assert with_value("PDA: 30% stenosis.", PDA, 80.0) == "PDA: 80% stenosis."


def test_a_lesion_that_nobody_worded_has_a_plain_sentence() -> None:
    claim = ("stenosis", "mid_lad", 65.0)
    plain = plain_sentence(claim)
    assert plain == "65% stenosis of the mid LAD."
    assert claims_of(plain) == {claim}
    assert plain_sentence(("flow", "study", 3.0)) is None


def test_sentences_keep_their_letters_and_full_stops() -> None:
    assert sentences("Right dominant. LAD 1.5 mm.\nNo X!") == [
        "Right dominant.",
        "LAD 1.5 mm.",
        "No X!",
    ]


def test_sentences_about_one_lesion_are_one_passage() -> None:
    lesion = "Lesion of the PDA. It is eccentric. Severity 30%."
    assert passages(f"Right dominant. {lesion} TIMI 3 flow.") == [
        "Right dominant.",
        lesion,
        "TIMI 3 flow.",
    ]
    assert with_value(lesion, PDA, 80.0) == "Lesion of the PDA. It is eccentric. Severity 80%."


def test_a_comparison_stays_true() -> None:
    assert with_value("PDA: previously 50%, now 30%.", PDA, 80.0) == "PDA: previously 50%, now 80%."
    assert with_value("PDA: previously 50%, now 30%.", PDA, 50.0) is None
    assert with_value("The PDA lesion has regressed from 50% to 30%.", PDA, 80.0) is None
