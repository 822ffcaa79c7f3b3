"""Every null of a failure against a simulation, or the thing itself."""

import math

import numpy as np
import pytest
import torch

from cinelex.losses.contrastive import info_nce_from_logits
from cinelex.losses.pairs import Pairs
from cinelex.metrics.failure_nulls import (
    duplicate_floor,
    greatest_chance_recall,
    same_report_in_batch,
)


def test_false_negatives_of_a_batch_are_those_of_drawn_batches() -> None:
    copies = [1, 1, 1, 5, 8, 4]
    reports = np.repeat(np.arange(len(copies)), copies)
    rng = np.random.default_rng(0)
    counts = []
    for _ in range(4000):
        batch = rng.choice(reports, size=6, replace=False)
        counts.append(((batch[:, None] == batch).sum() - 6) / 6)
    error = 4 * np.std(counts) / math.sqrt(len(counts))
    assert same_report_in_batch(copies, batch=6) == pytest.approx(np.mean(counts), abs=error)
    assert same_report_in_batch([1] * 9, batch=4) == 0.0
    assert same_report_in_batch([7], batch=5) == pytest.approx(4.0)


def test_no_model_beats_the_floor_of_duplicates() -> None:
    group = torch.tensor([0, 0, 1, 2, 2, 2])
    pairs = Pairs.of(group, torch.arange(6))
    perfect = 200.0 * pairs.positive.double()
    loss = info_nce_from_logits(perfect, pairs, form="out").item()
    assert duplicate_floor(pairs.positive) == pytest.approx(loss, abs=1e-9)
    by_hand = (2 * math.log(2) + 3 * math.log(3)) / 6
    assert duplicate_floor(pairs.positive) == pytest.approx(by_hand)


def test_random_rankings_stay_below_the_greatest_chance_recall() -> None:
    rng = np.random.default_rng(0)
    limit = greatest_chance_recall(48, 48)
    recalls = (rng.integers(0, 48, size=(20_000, 48)) == 0).mean(axis=1)
    above = float((recalls > limit).mean())
    assert above <= 0.025
    one_less = float((recalls > limit - 1 / 48).mean())
    assert one_less > 0.025


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: same_report_in_batch([1, 0], batch=1),
        lambda: same_report_in_batch([1, 1], batch=3),
        lambda: duplicate_floor(torch.zeros(2, 2, dtype=torch.bool)),
        lambda: greatest_chance_recall(0, 3),
    ],
)
def test_what_means_nothing_is_refused(wrong: object) -> None:
    assert callable(wrong)
    with pytest.raises(ValueError, match=r"\w"):
        wrong()
