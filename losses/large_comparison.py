"""All pairs of a large global batch, of which only tiles are ever in memory."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cinelex.core.distributed import gather_rows, sum_over_ranks
from cinelex.losses.affinity import Affinity
from cinelex.losses.contrastive import EveryPair
from cinelex.losses.tiles import Sums, View, log_sum_exps, mean_over_both, slices

Tile = Float[Tensor, "rows study"]
Weigh = Callable[[Tile, int], Tile]
"""From the affinities of some rows, and the place of the first among all, to log weights."""


@dataclass(frozen=True, kw_only=True)
class TiledTable:
    """A table of all pairs, without gradient, made anew whenever its tiles are asked for."""

    own: slice
    """This rank's rows among all."""
    studies: int
    """Rows and columns of the whole."""
    parts: Sequence[slice]
    """This rank's rows, tile by tile, from 0."""
    cells: Callable[[slice], Tile]
    """Makes the cells of some of this rank's rows."""

    def tiles(self) -> Iterator[tuple[Tile, int]]:
        """Yield this rank's cells, and the place of each tile's first row among all."""
        for rows in self.parts:
            yield self.cells(rows), self.own.start + rows.start

    @torch.no_grad()
    def by_row(self, measure: Callable[[Tile, int], Tensor]) -> Float[Tensor, " own"]:
        """Return a number for each of this rank's rows."""
        return torch.cat([measure(*tile) for tile in self.tiles()])

    @torch.no_grad()
    def mean(self, measure: Callable[[Tile, int], Tensor]) -> Float[Tensor, ""]:
        """Return the mean of a number over the rows of all ranks."""
        return sum_over_ranks(self.by_row(measure).sum()) / self.studies

    def less(self, by_row: Float[Tensor, " own"]) -> "TiledTable":
        """Return the table less a number of each row of this rank."""
        start = self.own.start
        return self.then(lambda tile, first: tile - by_row[first - start :][: len(tile), None])

    def then(self, change: Weigh) -> "TiledTable":
        """Return the table that is made of this one's tiles."""

        def cells(rows: slice) -> Tile:
            return change(self.cells(rows), self.own.start + rows.start)

        return TiledTable(own=self.own, studies=self.studies, parts=self.parts, cells=cells)


@dataclass(frozen=True, kw_only=True)
class LargeComparison:
    """Every study of the global batch against every report, as one rank holds its part.

    Reports are gathered; studies stay where they are, and columns are summed up over the ranks.
    """

    compared: EveryPair
    """Each report and each patient counts once."""
    temperature: Float[Tensor, ""]
    """Divides the cosines; positive."""
    index: Int[Tensor, " study"]
    """Which training study each one of all ranks is, from 0."""
    affinity: Affinity | None = None
    """How alike studies are; None where nobody knows."""

    @property
    def studies(self) -> int:
        """Return how many there are on all ranks."""
        return len(self.compared.report)

    @property
    def scale(self) -> Float[Tensor, ""]:
        """Return what multiplies the cosines."""
        return 1 / self.temperature.to(self.compared.study.dtype)

    def first(self, rows: slice) -> int:
        """Return where some of this rank's rows begin among all."""
        return self.compared.own.start + rows.start

    def table(self, cells: Callable[[slice], Tile]) -> TiledTable:
        """Return the table whose cells a function makes, of some of this rank's rows."""
        parts = list(slices(self.compared.study, self.compared.report))
        return TiledTable(own=self.compared.own, studies=self.studies, parts=parts, cells=cells)

    def known_affinity(self) -> TiledTable:
        """Return the affinities.

        Raises:
            ValueError: There is none, and a loss asks for it.
        """
        if self.affinity is None:
            raise ValueError("this loss weighs pairs by their affinity, and none was given")
        affinity, dtype = self.affinity, self.compared.study.dtype

        def cells(rows: slice) -> Tile:
            first = self.first(rows)
            return affinity.rows(slice(first, first + rows.stop - rows.start)).to(dtype)

        return self.table(cells)

    @torch.no_grad()
    def cosines(self, *, reports_first: bool = False) -> TiledTable:
        """Return the cosines, without gradient.

        Args:
            reports_first: With this rank's reports along the rows.
        """
        query, gallery = self.compared.study.detach(), self.compared.report.detach()
        if reports_first:
            everyone = gather_rows(query, counts=self.compared.counts)
            query, gallery = gallery[self.compared.own], everyone
        return self.table(lambda rows: query[rows] @ gallery.T)

    def sums(
        self, *views: View, linear: Callable[[slice], Tile] | None = None
    ) -> tuple[list[Sums], Float[Tensor, ""]]:
        """Return log-sum-exps over rows and columns of the logits; see `log_sum_exps`."""
        with torch.autocast(self.compared.study.device.type, enabled=False):
            return log_sum_exps(
                self.compared.study,
                self.compared.report,
                scale=self.scale,
                views=views,
                linear=linear,
            )

    def own_logits(self) -> Float[Tensor, " own"]:
        """Return the logits of this rank's studies with their own reports."""
        own = self.compared.report[self.compared.own]
        return self.scale * (self.compared.study * own).sum(1)

    def everyone(self, own: Float[Tensor, " own"]) -> Float[Tensor, " study"]:
        """Return a number of each study of all ranks."""
        return gather_rows(own, counts=self.compared.counts)

    def above_own(self, sums: Sums) -> Float[Tensor, ""]:
        """Return the mean over both directions of the log-sum-exps less the own logits."""
        own = self.own_logits().sum()
        over_rows = sum_over_ranks(sums.rows.sum() - 2 * own)
        return (over_rows + sums.columns.sum()) / (2 * self.studies)

    def weighted(
        self,
        log_weight: TiledTable,
        *,
        by_row: Float[Tensor, " own"] | None = None,
        by_column: Float[Tensor, " study"] | None = None,
        own: float = 0.0,
    ) -> View:
        """Return the view in which logits have log weights, and the own pair one of its own.

        Args:
            log_weight: Of this rank's rows.
            by_row: Taken off from each row where rows are summed up.
            by_column: Taken off from each column where columns are.
            own: Log weight of the own pair; -inf leaves it out.
        """
        over_rows = log_weight if by_row is None else log_weight.less(by_row)
        over_columns = over_rows
        if by_column is not None:
            over_columns = log_weight.then(lambda tile, _: tile - by_column)
        return self.weighted_apart(over_rows, over_columns, own=own)

    def weighted_apart(
        self, over_rows: TiledTable, over_columns: TiledTable, *, own: float = 0.0
    ) -> View:
        """Return the view in which rows and columns have log weights of their own."""

        def cells(rows: slice, logits: Tile) -> tuple[Tile, Tile]:
            fix = partial(_with_own, self.first(rows), own)
            found = fix(over_rows.cells(rows)).add_(logits)
            if over_columns is over_rows:
                return found, found
            return found, fix(over_columns.cells(rows)).add_(logits)

        return View(cells)

    def others(self, factor: float = 1.0) -> View:
        """Return the view of the logits times a factor, without the own pairs."""

        def cells(rows: slice, logits: Tile) -> tuple[Tile, Tile]:
            found = _with_own(self.first(rows), -torch.inf, factor * logits)
            return found, found

        return View(cells, factor)

    def targets(
        self,
        positive: TiledTable,
        *,
        by_row: Float[Tensor, " own"],
        by_column: Float[Tensor, " study"],
    ) -> Callable[[slice], Tile]:
        """Return targets that share 1 among the positives of each row, and of each column.

        Args:
            positive: 1 where a pair is one and 0 elsewhere; the own pair is.
            by_row: One over how many each row has.
            by_column: And each column.
        """

        def cells(rows: slice) -> Tile:
            there = _with_own(self.first(rows), 1.0, positive.cells(rows))
            return there * (by_row[rows, None] + by_column)

        return cells

    def above_targets(self, target: Callable[[slice], Tile]) -> Float[Tensor, ""]:
        """Return the mean cross-entropy of both directions with soft targets.

        Args:
            target: Of some rows, those of their rows and of their columns added up; no gradient.
        """
        everything = View(lambda _, logits: (logits, logits))
        (sums,), drawn = self.sums(everything, linear=target)
        return mean_over_both(sums) - sum_over_ranks(drawn) / (2 * self.studies)


def _with_own(first: int, value: float, tile: Tile) -> Tile:
    """Return a copy of a tile with a value in the cells of own pairs."""
    fixed = tile.clone()
    fixed.diagonal(first).fill_(value)
    return fixed
