"""Uniform numbers that are a hash of what they are for, the same on every device."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

GOLDEN_GAMMA = 0x9E3779B97F4A7C15
FIRST_MULTIPLIER = 0xBF58476D1CE4E5B9
SECOND_MULTIPLIER = 0x94D049BB133111EB
MANTISSA_BITS = 24


def uniform(keys: Int[Tensor, " row"], *, count: int, stream: int) -> Float[Tensor, "row count"]:
    """Draw ``count`` float32 numbers in [0, 1) for every key, the same on every device.

    A number is a hash of (key, stream, its position), so it does not depend on the other rows.

    Args:
        keys: One 64-bit number a row, for instance from `keyed_seed`.
        count: How many numbers each row gets.
        stream: Which purpose the numbers serve; two purposes never share a stream.

    Source: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators"
    (the finalizer of SplitMix64).
    """
    index = torch.arange(count, dtype=torch.int64, device=keys.device)
    row = _mix(_mix(keys.to(torch.int64)) ^ _signed(stream))
    bits = _mix(row[:, None] + index * _signed(GOLDEN_GAMMA))
    return _shift_right(bits, 64 - MANTISSA_BITS).to(torch.float32) * 2.0**-MANTISSA_BITS


def _mix(value: Tensor) -> Tensor:
    """Scramble 64 bits; int64 arithmetic wraps around as uint64 arithmetic does."""
    value = value + _signed(GOLDEN_GAMMA)
    value = (value ^ _shift_right(value, 30)) * _signed(FIRST_MULTIPLIER)
    value = (value ^ _shift_right(value, 27)) * _signed(SECOND_MULTIPLIER)
    return value ^ _shift_right(value, 31)


def _shift_right(value: Tensor, bits: int) -> Tensor:
    """Shift without copying the sign bit, which torch's own shift of int64 would do."""
    return (value >> bits) & ((1 << (64 - bits)) - 1)


def _signed(value: int) -> int:
    """Return the int64 that has the same 64 bits."""
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value
