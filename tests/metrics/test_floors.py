"""Recall beside a floor, paired by item."""

import numpy as np
import pytest

from cinelex.metrics.floors import beside_floors

OWN = {"recall_at_1": np.array([1.0, 1.0, 0.0, 1.0])}
FLOOR = {"recall_at_1": np.array([1.0, 0.0, 0.0, 0.0])}
ENTRY = {"recall_at_1": {"value": 0.75, "low": 0.3, "high": 1.0}}


def test_a_margin_is_the_mean_of_paired_differences() -> None:
    beside = beside_floors(ENTRY, OWN, {"ridge": FLOOR})["recall_at_1"]["baselines"]["ridge"]
    assert (beside["value"], beside["margin"]["value"]) == (0.25, 0.5)
    assert 0.0 <= beside["margin"]["low"] < 0.5 < beside["margin"]["high"] <= 1.0


def test_items_weigh_by_their_queries() -> None:
    weights = np.array([1.0, 3.0, 1.0, 1.0])
    found = beside_floors(ENTRY, OWN, {"ridge": FLOOR}, weights=weights)
    beside = found["recall_at_1"]["baselines"]["ridge"]
    assert beside["value"] == pytest.approx(1 / 6)
    assert beside["margin"]["value"] == pytest.approx(4 / 6)


def test_the_same_method_has_no_margin_at_all() -> None:
    margin = beside_floors(ENTRY, OWN, {"ridge": OWN})["recall_at_1"]["baselines"]["ridge"][
        "margin"
    ]
    assert margin == {"value": 0.0, "low": 0.0, "high": 0.0}


def test_what_is_undefined_has_no_floor() -> None:
    entry = {"recall_at_1": {"value": None, "low": None, "high": None}}
    assert beside_floors(entry, OWN, {"ridge": FLOOR}) == entry
