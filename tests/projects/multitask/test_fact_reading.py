"""Answers of the heads, put to the wrong places as a control."""

import numpy as np

from cinelex.metrics.facts.targets import columns_of
from cinelex.metrics.facts.vocabulary import vocabulary
from cinelex.projects.multitask.fact_reading import FactReader

WORDS = vocabulary("coronary")


def test_shuffled_facts_keep_all_but_the_place() -> None:
    columns = columns_of(WORDS)
    reader = FactReader(WORDS, columns, frozenset(column.name for column in columns))
    answers = np.random.default_rng(0).normal(size=(20, len(columns))).astype(np.float32)
    shuffled = reader.at_other_places(answers, seed=0)
    (stenosis,) = (one for one in WORDS.attributes if one.name == "stenosis")
    own, moved = (reader.answered(stenosis, found) for found in (answers, shuffled))
    for before, after in zip(own, moved, strict=True):
        # a lesion takes its percentage along
        assert {tuple(pair) for pair in before} == {tuple(pair) for pair in after}
    assert (own != moved).any(axis=-1).mean() > 0.9
    rest = [n for n, column in enumerate(columns) if column.attribute != "stenosis"]
    np.testing.assert_array_equal(answers[:, rest], shuffled[:, rest])
