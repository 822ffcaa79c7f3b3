"""Draws that belong to their key alone."""

import numpy as np
import torch
from numpy.typing import NDArray

from cinelex.core.randomness import (
    generator,
    keyed_seed,
    numpy_generator,
)
from cinelex.core.uniform import uniform


def mix(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble as SplitMix64 does, in numpy's own unsigned arithmetic."""
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def reference(keys: list[int], count: int, stream: int) -> NDArray[np.float64]:
    """Draw with unsigned numbers."""
    row = mix(mix(np.array(keys, dtype=np.int64).view(np.uint64)) ^ np.uint64(stream % 2**64))
    place = np.arange(count, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return (mix(row[:, None] + place) >> np.uint64(40)).astype(np.float64) * 2.0**-24


KEYS = [0, 1, -1, 2**63 - 1, -(2**63), 123456789, keyed_seed(7, "study", 3)]


def test_the_mixer_is_splitmix64() -> None:
    """The first output for seed 0 is that of the published C program."""
    assert mix(np.zeros(1, dtype=np.uint64))[0] == 0xE220A8397B1DCDAF


def test_draws_equal_those_of_unsigned_arithmetic() -> None:
    for stream in (0, 1, 2**40, -5):
        drawn = uniform(torch.tensor(KEYS), count=33, stream=stream)
        np.testing.assert_array_equal(drawn.double().numpy(), reference(KEYS, 33, stream))


def test_draws_are_uniform_and_uncorrelated() -> None:
    keys = torch.arange(2000)
    drawn = uniform(keys, count=100, stream=1).double()
    assert drawn.min() >= 0
    assert drawn.max() < 1
    assert abs(drawn.mean() - 1 / 2) < 4 / (12 * drawn.numel()) ** 0.5
    assert abs(drawn.var() - 1 / 12) < 0.001
    counts = torch.histc(drawn, bins=20, min=0, max=1)
    expected = drawn.numel() / 20
    chi_square = ((counts - expected) ** 2 / expected).sum()
    assert chi_square < 43.8, "19 degrees of freedom, p = 0.001"
    centred = drawn - 0.5
    neighbours = (centred[:-1] * centred[1:]).mean(), (centred[:, :-1] * centred[:, 1:]).mean()
    for covariance in neighbours:
        assert abs(covariance) < 4 / 12 / drawn.numel() ** 0.5


def test_a_row_does_not_depend_on_the_batch_it_is_in() -> None:
    keys = torch.tensor(KEYS)
    together = uniform(keys, count=5, stream=2)
    shuffled = uniform(keys.flip(0), count=5, stream=2).flip(0)
    alone = torch.cat([uniform(key[None], count=5, stream=2) for key in keys])
    assert torch.equal(together, shuffled)
    assert torch.equal(together, alone)


def test_the_first_draws_do_not_depend_on_how_many_follow() -> None:
    keys = torch.tensor(KEYS)
    short, long = (uniform(keys, count=count, stream=2) for count in (5, 50))
    assert torch.equal(short, long[:, :5])


def test_streams_and_keys_do_not_share_draws() -> None:
    keys = torch.arange(50)
    draws = torch.stack([uniform(keys, count=4, stream=stream) for stream in range(20)])
    assert len(draws.flatten().unique()) > 0.999 * draws.numel()


def test_a_seed_depends_on_every_part_its_type_and_its_place() -> None:
    seeds = [
        keyed_seed(*parts)
        for parts in (("a", 1), ("a", "1"), (1, "a"), ("a", 1, 0), ("a1",), ("a,1",), ())
    ]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_a_seed_is_the_same_on_every_machine() -> None:
    assert keyed_seed(0, "study", 1) == SEED_OF_RECORD


def test_generators_start_at_their_key() -> None:
    first, again = (torch.rand(3, generator=generator(1, "mask")) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, torch.rand(3, generator=generator(2, "mask")))
    assert numpy_generator(1, "x").random() == numpy_generator(1, "x").random()
    assert numpy_generator(1, "x").random() != numpy_generator(1, "y").random()


SEED_OF_RECORD = 8130987546672203008
"""Changing this number changes every recorded run."""
