"""Which studies a step sees."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cinelex.core.errors import UserError
from cinelex.data.sampler import StudySampler, share


@settings(max_examples=40, deadline=None)
@given(studies=st.integers(1, 60), batch=st.integers(1, 60), seed=st.integers(0, 99))
def test_no_study_comes_twice_in_an_epoch(studies: int, batch: int, seed: int) -> None:
    if batch > studies:
        with pytest.raises(UserError, match="cannot fill a batch"):
            StudySampler(studies=studies, batch=batch, seed=seed)
        return
    sampler = StudySampler(studies=studies, batch=batch, seed=seed)
    per_epoch = studies // batch
    steps = [sampler.batch_at(step) for step in range(2 * per_epoch)]
    assert [epoch for epoch, _ in steps] == [0] * per_epoch + [1] * per_epoch
    for epoch in (0, 1):
        seen = [index for own, indices in steps if own == epoch for index in indices]
        assert len(seen) == per_epoch * batch == len(set(seen))
        assert set(seen) <= set(range(studies))


def test_a_step_is_the_same_wherever_one_starts() -> None:
    walked = StudySampler(studies=23, batch=5, seed=7)
    everything = [walked.batch_at(step) for step in range(40)]
    for step in (39, 0, 17, 4, 38):
        assert StudySampler(studies=23, batch=5, seed=7).batch_at(step) == everything[step]


def test_order_differs_by_epoch_and_by_seed() -> None:
    sampler = StudySampler(studies=64, batch=64, seed=0)
    assert sampler.batch_at(0)[1] != sampler.batch_at(1)[1]
    assert sampler.batch_at(0)[1] != StudySampler(studies=64, batch=64, seed=1).batch_at(0)[1]


def test_what_does_not_divide_is_left_out_in_turn() -> None:
    """Of 10 studies in batches of 4, 2 are left out; after 5 epochs each was left out once."""
    sampler = StudySampler(studies=10, batch=4, seed=3)
    seen = Counter(index for step in range(10) for index in sampler.batch_at(step)[1])
    assert seen == Counter({index: 4 for index in range(10)})


@settings(max_examples=60, deadline=None)
@given(batch=st.integers(1, 40), world_size=st.integers(1, 8))
def test_shares_join_to_the_global_batch_and_differ_by_one(batch: int, world_size: int) -> None:
    indices = list(range(100, 100 + batch))
    if batch < world_size:
        with pytest.raises(UserError, match="raise the batch size"):
            share(indices, rank=0, world_size=world_size)
        return
    shares = [share(indices, rank=rank, world_size=world_size) for rank in range(world_size)]
    assert [index for own in shares for index in own] == indices
    sizes = {len(own) for own in shares}
    assert max(sizes) - min(sizes) <= 1


def test_an_empty_batch_is_refused() -> None:
    with pytest.raises(UserError, match="at least one study"):
        StudySampler(studies=3, batch=0, seed=0)
