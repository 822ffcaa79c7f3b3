"""How well two classes are told apart by a score."""

import math

import numpy as np

from cinelex.metrics.classification import auroc


def test_auroc_is_the_share_of_pairs_in_the_right_order() -> None:
    score = np.array([0.1, 0.4, 0.35, 0.8])
    truth = np.array([False, False, True, True])
    assert auroc(score, truth) == 0.75  # of four pairs, 0.35 against 0.4 alone is wrong


def test_a_constant_score_is_chance_and_one_class_is_undefined() -> None:
    truth = np.array([True, False, True])
    assert auroc(np.ones(3), truth) == 0.5
    assert math.isnan(auroc(np.ones(3), np.ones(3, dtype=bool)))
