"""Tables of the page: what counts as better, and what is said when nothing can be."""

import pytest

from cinelex.doctor.report.names import CAPTIONING, RETRIEVAL, Name
from cinelex.doctor.report.tables import (
    baseline_row,
    captioning_table,
    chance_row,
    cosine_table,
    retrieval_tables,
)

RECALL, RANK = RETRIEVAL["recall_at_1"], RETRIEVAL["median_rank"]


def _entry(
    value: float | None, chance: float, low: float | None, high: float | None
) -> dict[str, float | None]:
    return {"value": value, "chance": chance, "low": low, "high": high}


def test_a_share_is_shown_in_per_cent_beside_chance() -> None:
    row = chance_row(RECALL, _entry(0.385, 0.0068, 0.31, 0.45))
    assert (row.value, row.chance) == ("38.5\u00a0%", "0.7\u00a0%")
    assert row.interval == "31.0 – 45.0\u00a0%"
    assert row.times == "57\u00a0×"
    assert row.clear is True


def test_an_interval_that_reaches_chance_is_not_above_it() -> None:
    assert chance_row(RECALL, _entry(0.02, 0.01, 0.01, 0.03)).clear is False
    assert chance_row(RECALL, _entry(0.02, 0.01, None, None)).clear is True


def test_a_low_rank_is_better_and_counted_as_such() -> None:
    row = chance_row(RANK, _entry(5.0, 75.0, 4.0, 7.0), gallery=149)
    assert row.clear is True
    assert row.times == "15\u00a0×"
    assert row.scale is not None
    assert row.scale.value == pytest.approx(100 * 4 / 148)
    assert row.scale.null == pytest.approx(50.0)
    assert chance_row(RANK, _entry(70.0, 75.0, 60.0, 80.0)).clear is False


def test_what_is_undefined_is_a_dash_and_no_verdict() -> None:
    row = chance_row(RECALL, _entry(None, 1.0, None, None))
    assert (row.value, row.interval, row.times, row.clear) == ("–", "–", "–", None)
    assert row.scale is None


def test_cosine_levels_are_not_judged_but_their_gap_is() -> None:
    table = cosine_table(
        {
            "retrieval": {
                "positive_cosine": _entry(0.96, 0.0, 0.95, 0.97),
                "negative_cosine": _entry(0.95, 0.0, 0.94, 0.96),
                "cosine_gap": _entry(0.01, 0.0, -0.01, 0.03),
            }
        }
    )
    assert table is not None
    assert [row.clear for row in table.rows] == [None, None, False]
    assert [row.chance for row in table.rows] == ["0", "0", "0"]


def _baselines(**values: tuple[float, float]) -> dict[str, dict[str, float]]:
    return {
        name: {"value": (low + high) / 2, "low": low, "high": high}
        for name, (low, high) in values.items()
    }


def test_a_caption_metric_must_leave_every_baselines_interval() -> None:
    baselines = _baselines(constant_normal=(0.6, 0.8), shuffled=(0.2, 0.3))
    order = list(baselines)
    inside = baseline_row(CAPTIONING["bleu4"], {"value": 0.75, "baselines": baselines}, order=order)
    assert inside.clear is False
    assert inside.verdict == "does not beat always normal"
    above = baseline_row(CAPTIONING["bleu4"], {"value": 0.81, "baselines": baselines}, order=order)
    assert above.clear is True
    assert above.baselines[1] == ("0.250", "0.200 – 0.300")


def test_for_errors_lower_must_be_better() -> None:
    baselines = _baselines(shuffled=(0.5, 0.6))
    name = CAPTIONING["hallucination_rate"]
    assert baseline_row(name, {"value": 0.4, "baselines": baselines}, order=["shuffled"]).clear
    worse = baseline_row(name, {"value": 0.7, "baselines": baselines}, order=["shuffled"])
    assert worse.clear is False


def test_beating_no_baseline_is_said_in_so_many_words() -> None:
    baselines = _baselines(constant_normal=(0.6, 0.8), shuffled=(0.2, 0.3))
    row = baseline_row(
        CAPTIONING["bleu4"], {"value": 0.1, "baselines": baselines}, order=list(baselines)
    )
    assert row.verdict == "beats no baseline"


def test_how_much_the_parser_understood_is_not_a_score() -> None:
    baselines = _baselines(shuffled=(0.5, 0.6))
    name = CAPTIONING["parse_coverage"]
    row = baseline_row(name, {"value": 0.1, "baselines": baselines}, order=["shuffled"])
    assert (row.clear, row.verdict) == (None, "")


@pytest.mark.parametrize(("value", "text"), [(-1e-5, "0.000"), (0.0, "0"), (-0.25, "-0.250")])
def test_nothing_has_no_sign(value: float, text: str) -> None:
    assert Name("x").text(value) == text


def test_without_a_baseline_nothing_is_claimed() -> None:
    row = baseline_row(Name("x"), {"value": 0.9}, order=[])
    assert (row.clear, row.verdict) == (None, "no baseline")
    undefined = baseline_row(Name("x"), {"value": None, "baselines": {}}, order=[])
    assert undefined.verdict == "undefined"


def test_unknown_metrics_and_baselines_are_shown_by_their_key() -> None:
    table = captioning_table(
        {"captioning": {"new_score": {"value": 0.5, "baselines": _baselines(odd=(0.1, 0.2))}}}
    )
    assert table is not None
    assert table.columns == ("odd",)
    assert table.rows[0].label == "new_score"


def test_results_without_a_part_have_no_table() -> None:
    assert retrieval_tables({}) == []
    assert cosine_table({}) is None
    assert captioning_table({}) is None


def test_queries_may_be_one_number_or_one_a_direction() -> None:
    entries = {"recall_at_1": _entry(0.5, 0.1, 0.4, 0.6)}
    retrieval = {"study_to_report": entries, "gallery": {"study_to_report": 10}}
    (one,) = retrieval_tables({"retrieval": {**retrieval, "queries": 12}})
    (each,) = retrieval_tables({"retrieval": {**retrieval, "queries": {"study_to_report": 12}}})
    assert one.note == each.note == "12 queries, gallery of 10"
