"""Tables of the page: what counts as better, and what is said when nothing can be."""

from dataclasses import replace

import pytest

from cinelex.doctor.report.tables import Row, beyond, score_table, text_of, tiles
from cinelex.projects.interface.results import Estimate, Group, Null, Results, Score
from cinelex.projects.interface.terms import Better


def _score(
    value: float | None,
    interval: tuple[float, float] | None = None,
    *,
    unit: str = "",
    better: Better | None = "higher",
    headline: bool = False,
    **nulls: float | Null | None,
) -> Score:
    low, high = interval or (None, None)
    known = {name: x if isinstance(x, Null) else Null(value=x) for name, x in nulls.items()}
    return Score(
        name="a.b", label="Label", value=value, low=low, high=high, unit=unit, better=better,
        nulls=known, headline=headline,
    )  # fmt: skip


def _row(score: Score) -> Row:
    (row,) = score_table(Group(title="t", note="n", scores=[score])).rows
    return row


def _measured(value: float, margin: tuple[float, float]) -> Null:
    low, high = margin
    return Null(value=value, margin=Estimate(value=(low + high) / 2, low=low, high=high))


def test_a_share_is_shown_in_per_cent_beside_chance() -> None:
    row = _row(_score(0.385, (0.31, 0.45), unit="share", chance=0.0068))
    assert (row.value.text, row.value.interval) == ("38.5\u00a0%", "31.0 – 45.0\u00a0%")
    assert [cell.text for cell in row.nulls] == ["0.7\u00a0%"]
    assert row.times == "57\u00a0×"
    assert (row.significant, row.verdict) == (True, "significant")


def test_an_interval_that_reaches_its_null_is_not_significant() -> None:
    row = _row(_score(0.02, (0.01, 0.03), chance=0.01))
    assert (row.significant, row.verdict) == (False, "not beyond chance")


def test_without_an_interval_nothing_is_significant_but_what_is_worse_is_known() -> None:
    row = _row(_score(0.02, chance=0.01))
    assert (row.significant, row.verdict) == (None, "better, no interval")
    assert _row(_score(0.005, chance=0.01)).significant is False


def test_a_low_rank_is_better_and_counted_as_such() -> None:
    row = _row(_score(5.0, (4.0, 7.0), unit="rank", better="lower", chance=75.0))
    assert row.significant
    assert row.times == "15\u00a0×"
    assert row.bar is not None
    assert row.bar.value == pytest.approx(100 * 4 / 148)
    assert row.bar.null == pytest.approx(50.0)
    worse = _score(70.0, (60.0, 80.0), unit="rank", better="lower", chance=75.0)
    assert _row(worse).significant is False


def test_what_is_undefined_is_a_dash_and_no_verdict() -> None:
    row = _row(_score(None, chance=1.0))
    assert (row.value.text, row.value.interval, row.times) == ("–", "", "")
    assert (row.significant, row.verdict, row.bar) == (None, "undefined", None)


def test_what_has_no_better_way_is_not_judged() -> None:
    row = _row(_score(0.96, (0.95, 0.97), better=None, chance=0.0))
    assert (row.significant, row.verdict, row.times) == (None, "", "")


def test_a_paired_difference_decides_where_there_is_one() -> None:
    null = _measured(0.7, (-0.01, 0.2))
    assert beyond(_score(0.8, (0.75, 0.85)), null) is False
    assert beyond(_score(0.8, (0.6, 0.9)), _measured(0.7, (0.05, 0.15))) is True
    assert beyond(_score(0.4, better="lower"), _measured(0.5, (-0.2, -0.05))) is True
    assert beyond(_score(0.4, better="lower"), _measured(0.5, (-0.2, 0.05))) is False


def test_a_score_must_be_beyond_every_null_that_is_known() -> None:
    interval = (0.75, 0.85)
    assert _row(_score(0.8, interval, chance=0.1, ridge=0.7, other=None)).significant
    row = _row(_score(0.8, interval, chance=0.1, nearest_report=0.8, ridge=0.9))
    assert (row.significant, row.verdict) == (False, "not beyond nearest report, ridge")
    assert _row(_score(0.1, (0.0, 0.2), a=0.5, b=0.6)).verdict == "not beyond any null"
    assert _row(_score(0.8, interval)).verdict == "no null"


def test_a_null_that_knows_more_than_a_model_may_is_shown_and_need_not_be_beaten() -> None:
    score = _score(0.4, (0.3, 0.5), better="lower", mean=0.9, noise_floor=0.1)
    assert _row(score).significant is False
    bounded = replace(score, bounds=("noise_floor",), headline=True)
    assert _row(bounded).significant
    assert [cell.text for cell in _row(bounded).nulls] == ["0.9", "0.1"]
    (tile,) = tiles(Results(groups=[Group(title="t", note="", scores=[bounded])]))
    assert tile.null == "mean 0.9"


def test_a_table_has_one_column_for_each_null_of_its_scores() -> None:
    scores = [_score(0.9, chance=0.5), _score(0.9, chance=0.4, other_studys_video=0.3, bigram=0.2)]
    table = score_table(Group(title="t", note="n", scores=scores))
    assert table.nulls == ["chance", "other study's video", "bigram"]
    assert [cell.text for cell in table.rows[0].nulls] == ["0.5", "", ""]
    assert table.wide
    assert not score_table(Group(title="t", note="n", scores=scores[:1])).wide


def test_a_ratio_to_chance_is_said_only_where_zero_is_nothing() -> None:
    assert _row(_score(1.3, unit="nats per study", better="lower", chance=3.4)).times == ""
    assert _row(_score(0.3, chance=0.0)).times == ""
    assert _row(_score(-0.3, chance=0.1)).times == ""


def test_a_unit_that_is_no_plain_number_stands_beside_the_label() -> None:
    assert _row(_score(1.0, unit="dB")).unit == "dB"
    assert _row(_score(1.0, unit="rank")).unit == ""


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(None, "share", "–"), (0.0, "", "0"), (-0.25, "", "-0.25"), (0.00213, "", "0.00213")],
)
def test_numbers_as_text(value: float | None, unit: str, text: str) -> None:
    assert text_of(value, unit) == text


def test_a_tile_is_the_first_headline_of_a_group_beside_its_hardest_null() -> None:
    retrieval = [
        _score(0.9, chance=0.5),
        _score(0.4, (0.3, 0.5), unit="share", chance=0.1, headline=True),
        _score(0.5, chance=0.1, headline=True),
    ]
    losses = [_score(2.0, better="lower", chance=3.0, bigram=1.5, headline=True)]
    groups = [
        Group(title="Study → report", note="", scores=retrieval),
        Group(title="Loss terms", note="", scores=losses),
        Group(title="Geometry", note="", scores=[_score(0.1)]),
    ]
    first, second = tiles(Results(groups=groups))
    assert first.label == "Label, study → report"
    assert (first.value, first.null) == ("40.0\u00a0%", "chance 10.0\u00a0%")
    assert (first.verdict, first.significant) == ("4.0\u00a0× chance", True)
    assert (second.null, second.interval) == ("bigram 1.5", "no interval")
    assert (second.verdict, second.significant) == ("not beyond bigram", False)
