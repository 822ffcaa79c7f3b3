"""Each sentence of a caption is judged by the facts of the reference."""

import pytest

from cinelex.metrics.facts.spans import coloured_spans

REFERENCE = (
    "Right coronary dominance. There is a 60% lesion in the mid-RCA. "
    "30% stenosis of the left main. TIMI 3 flow."
)
MISSING = {
    "mid RCA": {"text": "mid RCA 60%", "verdict": "missing"},
    "left main": {"text": "left main 30%", "verdict": "missing"},
}


def verdicts(caption: str) -> list[str]:
    return [span["verdict"] for span in coloured_spans(REFERENCE, caption)]


def test_right_wrong_neutral_and_missing() -> None:
    caption = (
        "There is a 65% lesion in the mid-RCA. 40% stenosis of the proximal LAD. "
        "Left coronary dominance. Good quality."
    )
    assert coloured_spans(REFERENCE, caption) == [
        {"text": "There is a 65% lesion in the mid-RCA. ", "verdict": "right"},
        {"text": "40% stenosis of the proximal LAD. ", "verdict": "wrong"},
        {"text": "Left coronary dominance. ", "verdict": "wrong"},
        {"text": "Good quality.", "verdict": "neutral"},
        MISSING["left main"],
    ]


@pytest.mark.parametrize(
    ("percent", "verdict"), [(50, "right"), (70, "right"), (71, "wrong"), (49, "wrong")]
)
def test_a_lesion_may_miss_by_ten_points(percent: int, verdict: str) -> None:
    spans = coloured_spans(REFERENCE, f"There is a {percent}% lesion in the mid-RCA.")
    assert spans[0]["verdict"] == verdict
    assert spans[0].get("reference") == ("mid RCA 60%" if verdict == "wrong" else None)
    assert spans[1:] == [MISSING["left main"]], "a wrong number is wrong, not missing"


def test_the_remaining_vessels_are_those_without_a_lesion_in_the_caption() -> None:
    caption = (
        "There is a 60% lesion in the mid-RCA. {} "
        "The remaining vessels are free of significant disease."
    )
    whole = coloured_spans(REFERENCE, caption.format("30% stenosis of the left main."))
    assert [span["verdict"] for span in whole] == ["right", "right", "right"]
    forgotten = coloured_spans(REFERENCE, caption.format("Good quality."))
    assert [span["verdict"] for span in forgotten] == ["right", "neutral", "wrong", "missing"]


def test_a_denial_is_wrong_where_there_is_something() -> None:
    caption = "The left main, LAD and right coronary artery are free of significant disease."
    assert verdicts(caption) == ["wrong", "missing", "missing"]
    assert verdicts("The circumflex is free of significant disease.")[0] == "right"


def test_other_facts_must_agree_exactly() -> None:
    assert verdicts("TIMI 3 flow. TIMI 2 flow.")[:2] == ["right", "wrong"]
    assert verdicts("No calcification. Tortuous vessels.")[:2] == ["right", "wrong"]


def test_a_decimal_point_ends_no_sentence() -> None:
    spans = coloured_spans(REFERENCE, "30.5% stenosis of the left main; 60% lesion in the mid-RCA")
    assert [span["text"] for span in spans] == [
        "30.5% stenosis of the left main; ",
        "60% lesion in the mid-RCA",
    ]


def test_the_pieces_add_up_to_the_caption() -> None:
    caption = "TIMI 3 flow.  30.5% stenosis of the left main?! yes\n60% lesion in the mid-RCA"
    spans = coloured_spans(REFERENCE, caption)
    assert "".join(span["text"] for span in spans if span["verdict"] != "missing") == caption


def test_an_empty_caption_misses_everything() -> None:
    assert coloured_spans(REFERENCE, "") == [MISSING["mid RCA"], MISSING["left main"]]


@pytest.mark.parametrize(("percent", "verdict"), [(60, "right"), (90, "wrong")])
def test_a_percentage_is_judged_with_the_lesion_that_it_goes_on_about(
    percent: int, verdict: str
) -> None:
    caption = f"There is a lesion in the mid-RCA. It narrows the lumen by {percent}%."
    assert verdicts(caption)[:2] == ["neutral", verdict]
