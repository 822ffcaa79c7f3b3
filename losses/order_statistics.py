"""Exact quantiles of a table that is never held whole."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cinelex.core.distributed import sum_over_ranks
from cinelex.losses.comparison import off_diagonal
from cinelex.losses.large_comparison import TiledTable

DIGIT = 16
"""Bits of a float32 that one pass sorts."""


@torch.no_grad()
def quantiles(table: TiledTable, shares: Float[Tensor, " share"]) -> Float[Tensor, " share"]:
    """Return quantiles of all off-diagonal cells of all ranks, as `torch.quantile` does.

    Two passes count the cells by the upper and the lower half of their float32 bits, so that memory
    is that of the counts, whatever the number of cells.

    Args:
        table: The cells.
        shares: Of the cells that lie below, in [0, 1].
    """
    cells = table.studies * (table.studies - 1)
    position = (shares.double() * (cells - 1)).cpu()
    ends = torch.stack([position.floor(), position.ceil()]).long()
    found = torch.tensor([_cell(table, int(place)) for place in ends.flatten()])
    below, above = found.double().view_as(ends)
    return torch.lerp(below, above, position - position.floor()).float()


def _cell(table: TiledTable, place: int) -> float:
    """Return the cell that has so many cells below it."""
    upper = _counts(table, None).cumsum(0)
    high = int(torch.searchsorted(upper, place, right=True))
    rest = place - (int(upper[high - 1]) if high else 0)
    low = int(torch.searchsorted(_counts(table, high).cumsum(0), rest, right=True))
    return float(_value((high << DIGIT) + low))


def _counts(table: TiledTable, high: int | None) -> Float[Tensor, " digit"]:
    """Count cells by the upper half of their keys, or by the lower half below one upper half."""
    total = torch.zeros(1 << DIGIT, dtype=torch.int64)
    for tile, first in table.tiles():
        key = _key(off_diagonal(tile, first).flatten())
        upper = key >> DIGIT
        digit = upper if high is None else key[upper == high] & ((1 << DIGIT) - 1)
        total += torch.bincount(digit, minlength=len(total)).cpu()
    return sum_over_ranks(total.double())  # which holds every count exactly


def _key(cells: Float[Tensor, " cell"]) -> Int[Tensor, " cell"]:
    """Return numbers from 0 in the order of the cells."""
    bits = cells.float().contiguous().view(torch.int32)
    return torch.where(bits < 0, bits ^ 0x7FFFFFFF, bits).long() + 2**31


def _value(key: int) -> Float[Tensor, ""]:
    bits = torch.tensor(key - 2**31, dtype=torch.int32)
    return torch.where(bits < 0, bits ^ 0x7FFFFFFF, bits).view(torch.float32)
