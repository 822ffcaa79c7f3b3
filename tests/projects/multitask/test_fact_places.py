"""The table of places names the one at which the heads know nothing."""

import numpy as np

from cinelex.metrics.facts.calibration import Scale
from cinelex.metrics.facts.targets import columns_of
from cinelex.metrics.facts.vocabulary import vocabulary
from cinelex.projects.multitask.fact_places import place_tables
from cinelex.projects.multitask.fact_reading import FactReader

WORDS = vocabulary("coronary")


def test_the_place_that_is_answered_the_wrong_way_round_is_the_weakest() -> None:
    columns = columns_of(WORDS)
    reader = FactReader(
        WORDS,
        columns,
        frozenset(column.name for column in columns),
        scale={"stenosis": Scale((0.0, 1.0))},
        stated={"stenosis": np.array([30.0, 50.0, 90.0])},
    )
    (stenosis,) = (one for one in WORDS.attributes if one.name == "stenosis")
    level, value = (reader.places(stenosis, part) for part in ("level", "value"))
    truth = np.full((40, len(columns)), np.nan, np.float32)
    truth[:, level] = 0.0
    truth[::2, level] = 50.0
    answers = np.zeros_like(truth)
    answers[:, level] = truth[:, level] / 50 - 0.5
    answers[:, level[3]] *= -1
    answers[:, value] = 90.0
    answers[:, value[5]] = 31.0
    mean = np.zeros(len(columns))
    mean[value] = 60.0
    drawing = {"resamples": 50, "seed": 0}
    (table,) = place_tables(reader, answers, truth, np.arange(40), mean=mean, **drawing)
    rows = {row["place"]: row for row in table.rows}
    weak, near = "distal LAD", "D2"
    assert f"Weakest: stenosis of {weak}, AUROC 0.000 of 20 studies with it" in table.note
    assert {row["auroc"] for place, row in rows.items() if place != weak} == {1.0}
    assert {row["mean_error"] for place, row in rows.items() if place != near} == {40.0}
    assert rows[near]["mean_error"] == 20.0
    assert {row["predict_the_mean"] for row in rows.values()} == {10.0}
