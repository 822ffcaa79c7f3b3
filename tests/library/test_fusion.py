"""Orders by words, and two orders fused."""

import math

import numpy as np
import pytest

from cinelex.library.bm25 import WordRanks, tokens_of
from cinelex.library.fusion import fused
from tests.library.conftest import Served


def test_a_row_that_both_orders_have_is_before_one_that_leads_one_of_them() -> None:
    # 1/61 + 1/63 for row 7; 1/62 + 1/62 for row 5; 1/61 for row 9; 1/63 for row 4
    orders = [np.array([7, 5, 4]), np.array([9, 5, 7])]
    assert 1 / 61 + 1 / 63 > 2 / 62
    assert fused(orders).tolist() == [7, 5, 9, 4]


def test_rare_words_and_short_reports_count_more_and_unknown_ones_nothing() -> None:
    reports = ["mild stenosis", "stenosis of the mid part of it", "stent, stent", "", "stenosis"]
    ranks, every = WordRanks(reports), np.arange(5)
    assert ranks.best(["stenosis"], every, 9).tolist() == [4, 0, 1]
    assert ranks.best(["stenosis", "stent"], every, 2).tolist() == [2, 4]
    assert ranks.best(["stenosis"], np.array([1, 2]), 9).tolist() == [1]
    assert ranks.best(["zebra"], every, 9).tolist() == []
    assert WordRanks([]).best(["zebra"], np.arange(0), 9).tolist() == []
    # one of five holds "stent", twice, in two words where a report has 2.4 on average
    weight = math.log(1 + 4.5 / 1.5) * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 2 / 2.4))
    assert ranks.scores(["stent"]).tolist() == pytest.approx([0, 0, weight, 0, 0], rel=1e-6)


@pytest.mark.slow
def test_words_and_meaning_together_find_what_either_ranks_high(served: Served) -> None:
    reports, said = served.library.catalog.reports(), ["severe", "stenosis", "lad"]
    asked = {"query": {"text": "severe stenosis of the LAD"}, "count": 52}
    with served.client() as client:
        by_meaning, both = (
            client.post("/api/search", json={**asked, "order": order}).json()["results"]
            for order in ("meaning", "both")
        )
    order = [result["row"] for result in by_meaning]
    by_words = WordRanks(reports).best(said, np.arange(52), 52).tolist()
    assert set(by_words) == {n for n, text in enumerate(reports) if {*said} & {*tokens_of(text)}}
    sums = {row: 1 / (61 + place) for place, row in enumerate(order)}
    for place, row in enumerate(by_words):
        sums[row] += 1 / (61 + place)
    found = [sums[result["row"]] for result in both]
    assert found == sorted(sums.values(), reverse=True)
    assert {r["row"]: r["score"] for r in both} == pytest.approx(
        {r["row"]: r["score"] for r in by_meaning}, abs=1e-5
    )
