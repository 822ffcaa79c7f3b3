"""How many scores are at least as high as a given one: exact, at the speed of single precision."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cinelex.metrics.unit_rows import UnitRows

TILE_CELLS = {"cpu": 2**20, "cuda": 2**26}
"""Scores that are held at once; a tile stays in the cache of a processor."""
MIN_ROWS = 64
"""Of a tile, whatever the gallery."""
CELLS_AT_ONCE = 2**14
"""Doubtful scores that are made again at once."""
DOUBTFUL_SHARE = 1 / 16
"""Of a tile; above it, as for a collapsed model, the whole tile is made in double precision."""


@dataclass(frozen=True, kw_only=True)
class OwnPairs:
    """The pairs of a query and an item that belong together, ordered by query."""

    query: Int[Tensor, " pair"]
    item: Int[Tensor, " pair"]
    score: Float[Tensor, " pair"]
    """In float64, exact."""


def counts_at_or_above(
    query: UnitRows, gallery: UnitRows, pairs: OwnPairs
) -> tuple[Int[Tensor, " pair"], Int[Tensor, " pair"]]:
    """Count, for each pair, the items that its query and the queries that its item likes as much.

    Scores are made once for both directions, in float32. Where one lies so near the pair's own that
    rounding could decide, it is made again in float64, in which `UnitRows` score exactly. Each
    count includes the pair itself. Memory is one tile and both sides' rows in float32.

    Args:
        query: Each has a pair.
        gallery: Each has a pair.
        pairs: The pairs.
    """
    by_query, by_item = torch.zeros_like(pairs.query), torch.zeros_like(pairs.query)
    order = torch.argsort(pairs.item, stable=True)
    item, score = pairs.item[order], pairs.score[order]
    with _full_single_precision():
        for rows, own in _tiles(pairs.query, queries=len(query), items=len(gallery)):
            tile = _Tile(query, rows, gallery)
            by_query[own] = tile.along_rows(pairs.query[own] - rows.start, pairs.score[own])
            by_item += tile.along_columns(item, score)
    return by_query, torch.empty_like(by_item).scatter_(0, order, by_item)


class _Tile:
    """The scores of some queries with the whole gallery."""

    def __init__(self, query: UnitRows, rows: slice, gallery: UnitRows) -> None:
        self.query, self.rows, self.gallery = query, rows, gallery
        self.scores = query.single[rows] @ gallery.single.T
        # a float32 product of unit rows, in any order of summation, and both numbers rounded
        self.tolerance = (query.width + 4) * 2.0**-24

    def along_rows(self, row: Tensor, own: Tensor) -> Tensor:
        """Return, for each pair, how many of its row's scores are at or above its own."""
        return self._count(
            lambda table: table if len(row) == len(table) else table[row],
            own,
            axis=1,
            cell=lambda pair, other: (row[pair], other),
        )

    def along_columns(self, column: Tensor, own: Tensor) -> Tensor:
        """Return, for each pair, how many of its column's scores are at or above its own."""
        return self._count(
            lambda table: table if len(column) == table.shape[1] else table[:, column],
            own,
            axis=0,
            cell=lambda pair, other: (other, column[pair]),
        )

    def _count(
        self,
        scores_of_pairs: Callable[[Tensor], Tensor],
        own: Tensor,
        *,
        axis: int,
        cell: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]],
    ) -> Tensor:
        """Count along an axis what is at or above each pair's own score.

        Args:
            scores_of_pairs: Lays a tile out so that ``axis`` holds what one pair is compared with.
            own: The score of each pair.
            axis: Over which to count.
            cell: Row and column in the tile, of pairs and places along ``axis``.
        """
        beside = own.unsqueeze(axis)
        gap = scores_of_pairs(self.scores) - beside.float()
        sure = (gap > self.tolerance).sum(axis)
        doubtful = (gap.abs_() <= self.tolerance).nonzero()
        if len(doubtful) > DOUBTFUL_SHARE * gap.numel():
            again = self.query.at(self.rows) @ self.gallery.exact.T
            return (scores_of_pairs(again) >= beside).sum(axis)
        for some in doubtful.split(CELLS_AT_ONCE):
            pair, other = some[:, 1 - axis], some[:, axis]
            row, column = cell(pair, other)
            ours = self.query.at(self.rows.start + row)
            exact = (ours * self.gallery.at(column)).sum(1)
            sure.index_add_(0, pair, (exact >= own[pair]).to(sure.dtype))
        return sure


def _tiles(owner: Tensor, *, queries: int, items: int) -> Iterator[tuple[slice, slice]]:
    """Yield some queries, and which pairs are theirs."""
    size = max(MIN_ROWS, TILE_CELLS.get(owner.device.type, TILE_CELLS["cpu"]) // items)
    firsts = list(range(0, queries, size))
    ends = [*firsts[1:], queries]
    places = torch.searchsorted(owner, owner.new_tensor([0, *ends])).tolist()
    for first, end, own in zip(firsts, ends, pairwise(places), strict=True):
        yield slice(first, end), slice(*own)


@contextmanager
def _full_single_precision() -> Iterator[None]:
    """Let no product of float32 be rounded further, as training may allow."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
