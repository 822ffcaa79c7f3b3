"""Batches by topic: pure, spread or balanced, each study at most once, whatever the ranks."""

import numpy as np
import pytest

from cinelex.core.errors import UserError
from cinelex.data.orders import (
    Arrange,
    ClassBalanced,
    Stratified,
    Topical,
)
from cinelex.data.sampler import StudySampler, share
from cinelex.data.text.topics import topics

GROUPS = np.repeat(np.arange(8), [40, 24, 24, 24, 16, 16, 8, 8])
BATCH = 16
ORDERS: dict[str, Arrange | None] = {
    "topical": Topical(GROUPS, BATCH),
    "random": None,
    "stratified": Stratified(GROUPS, BATCH),
    "class_balanced": ClassBalanced(GROUPS, BATCH),
}


def sampler(name: str, seed: int = 0) -> StudySampler:
    arrange = ORDERS[name]
    steps = arrange.steps() if isinstance(arrange, ClassBalanced) else None
    return StudySampler(
        studies=len(GROUPS), batch=BATCH, seed=seed, arrange=arrange, steps_per_epoch=steps
    )


def test_topics_that_do_not_fill_a_last_batch_leave_it_out() -> None:
    order = Topical(GROUPS, batch=48)(np.arange(160), np.random.default_rng(0))
    assert len(order) == len(set(order.tolist())) == 3 * 48


def epoch(name: str, number: int = 0, seed: int = 0) -> list[list[int]]:
    made = sampler(name, seed)
    start = number * made.steps_per_epoch
    return [made.batch_at(step)[1] for step in range(start, start + made.steps_per_epoch)]


def purity(groups: np.ndarray, batches: list[list[int]]) -> float:
    """Return the mean over batches of the share of the commonest group; 1 is one topic a batch."""
    return float(np.mean([np.bincount(groups[batch]).max() / len(batch) for batch in batches]))


def test_topical_batches_are_purest_and_stratified_ones_least_pure() -> None:
    found = {name: np.mean([purity(GROUPS, epoch(name, n)) for n in range(5)]) for name in ORDERS}
    assert found["topical"] > found["random"] + 0.2
    assert found["random"] > found["stratified"] + 0.02
    assert found["stratified"] == pytest.approx(0.25, abs=0.02)  # 40 of 160, as in the whole


@pytest.mark.parametrize("name", ORDERS)
def test_a_study_is_in_an_epoch_at_most_once_and_batches_are_full(name: str) -> None:
    batches = epoch(name)
    flat = [study for batch in batches for study in batch]
    assert len(set(flat)) == len(flat)
    assert {len(batch) for batch in batches} == {BATCH}


@pytest.mark.parametrize("name", ORDERS)
def test_epochs_and_seeds_differ_and_a_step_is_a_function_of_both(name: str) -> None:
    assert epoch(name, 0) != epoch(name, 1) != epoch(name, 1, seed=1)
    fresh = sampler(name)
    step = fresh.steps_per_epoch + 1
    assert fresh.batch_at(step)[1] == epoch(name, 1)[1 % fresh.steps_per_epoch]


@pytest.mark.parametrize("name", ORDERS)
@pytest.mark.parametrize("world_size", [2, 3])
def test_ranks_share_a_batch_without_overlap(name: str, world_size: int) -> None:
    for batch in epoch(name):
        parts = [share(batch, rank=rank, world_size=world_size) for rank in range(world_size)]
        assert [study for part in parts for study in part] == batch


def test_class_balanced_batches_hold_two_of_each_of_eight_classes() -> None:
    for batch in epoch("class_balanced"):
        assert np.bincount(GROUPS[batch]).tolist() == [2] * 8


def test_class_balanced_batches_that_do_not_divide_differ_by_one() -> None:
    order = ClassBalanced(GROUPS, 20)
    made = StudySampler(studies=160, batch=20, seed=0, arrange=order, steps_per_epoch=order.steps())
    counts = np.array([np.bincount(GROUPS[made.batch_at(n)[1]], minlength=8) for n in range(6)])
    assert counts.min() == 2
    assert counts.max() == 3
    assert (counts.sum(1) == 20).all()


def test_a_large_class_shows_another_part_each_epoch() -> None:
    seen = {study for n in range(30) for batch in epoch("class_balanced", n) for study in batch}
    assert len(seen) == len(GROUPS)


def test_a_class_too_small_to_balance_is_refused() -> None:
    with pytest.raises(UserError, match="the smallest has 1"):
        ClassBalanced(np.array([0] * 20 + [1]), 8)


def test_topics_gather_texts_of_equal_words_and_follow_the_seed() -> None:
    texts = [f"red circle number {n}" for n in range(6)] + [f"blue box item {n}" for n in range(6)]
    found = topics(texts, count=2, seed=3)
    assert len(set(found[:6])) == len(set(found[6:])) == 1
    assert found[0] != found[6]
    np.testing.assert_array_equal(found, topics(texts, count=2, seed=3))
