"""The distance between two splits, and how often chance makes it."""

import numpy as np
import pytest

from cinelex.metrics.drift import drift, indicators, parts


def test_the_distance_is_half_the_difference_of_shares() -> None:
    values = indicators(["a", "a", "a", "b", "a", "b", "b", "b"])
    held_out = np.array([False] * 4 + [True] * 4)
    found = drift(values, held_out, np.arange(8))
    assert found.distance == pytest.approx(0.5)
    assert found.p_value > 0.2, "eight patients show nothing"


def test_a_site_of_its_own_is_found_and_a_random_split_is_not() -> None:
    sites = ["north"] * 60 + ["south"] * 40
    apart = drift(indicators(sites), np.arange(100) >= 60, np.arange(100))
    assert apart.distance == 1
    assert apart.p_value == pytest.approx(0.001)
    drawn = np.random.default_rng(0).random(100) < 0.4
    assert drift(indicators(sites), drawn, np.arange(100)).p_value > 0.05


def test_studies_of_one_patient_are_no_evidence_by_their_number() -> None:
    sites = ["north"] * 50 + ["south"] * 50
    patients = np.repeat([0, 1], 50)  # a patient a site
    assert drift(indicators(sites), patients == 1, patients).p_value == 1


def test_false_findings_are_as_rare_as_p_says() -> None:
    draw = np.random.default_rng(1)
    low = [
        drift(
            parts(draw.normal(size=60)), draw.random(60) < 0.3, np.arange(60), draws=99, seed=n
        ).p_value
        <= 0.1
        for n in range(200)
    ]
    assert np.mean(low) < 0.16


def test_unknown_values_are_of_no_side() -> None:
    assert not indicators(["", "a"])[0].any()
    assert not parts(np.array([np.nan, 1.0, 2.0]))[0].any()
