"""Sums over a similarity matrix, tile by tile: exact, and never the whole matrix in memory.

The matrix of N studies and N reports has N^2 cells; a contrastive loss asks for sums over its rows
and columns. They are made from tiles of a few rows, which the backward pass makes again, so that
memory grows with N and not with its square. Each rank makes the rows of its own studies.

Source: Cheng et al. 2024, Inf-CL, arXiv:2410.17243, section 3.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from cinelex.core.distributed import highest_over_ranks, sum_over_ranks, world_size

Cells = Bool[Tensor, "rows gallery"]
Logits = Float[Tensor, "rows gallery"]

TILE_CELLS = {"cpu": 2**20, "cuda": 2**24}
"""One that stays in the cache of a processor, one that fills a GPU."""
KEPT_BYTES = 2**26
"""Logits of a rank that are kept for the backward pass, which else costs a fourth product."""


class View(NamedTuple):
    """What is summed up over rows and columns of the logits."""

    cells: Callable[[slice, Logits], tuple[Logits, Logits]]
    """From some of this rank's rows and their logits to what rows and what columns sum up: the
    logits times ``factor`` plus something without gradient, -inf where a cell does not count."""
    factor: float = 1.0


class Sums(NamedTuple):
    """Log-sum-exps of one view."""

    rows: Float[Tensor, " study"]
    """Of this rank's studies."""
    columns: Float[Tensor, " gallery"]
    """Of everybody's reports, over the studies of all ranks."""


def log_sum_exps(
    study: Float[Tensor, "study dim"],
    report: Float[Tensor, "gallery dim"],
    *,
    scale: Float[Tensor, ""],
    views: Sequence[View],
    linear: Callable[[slice], Logits] | None = None,
) -> tuple[list[Sums], Float[Tensor, ""]]:
    """Return the log-sum-exps over rows and columns of S = scale * study report^T, a view each.

    Their gradient is that of `core.distributed`: rows are added up over the ranks by the caller,
    and columns are alike on all. Every row and every column of a view has a cell that counts.

    Args:
        study: This rank's unit rows, in float32 or better.
        report: Everybody's unit rows, as many as there are studies on all ranks.
        scale: Multiplies the cosines.
        views: Which cells count, and with what weight.
        linear: Of some of this rank's rows, factors that are constants.

    Returns:
        The sums, and the sum over this rank's rows of the logits times ``linear``; 0 without.
    """
    *sums, total = _LogSumExps.apply(study, report, scale, tuple(views), linear)
    pairs = zip(sums[: len(views)], sums[len(views) :], strict=True)
    return [Sums(*pair) for pair in pairs], total


def left_out(cells_of: Callable[[slice], Cells]) -> View:
    """Return the view of the logits in which some cells do not count."""

    def both(rows: slice, logits: Logits) -> tuple[Logits, Logits]:
        counting = logits.masked_fill(cells_of(rows), -torch.inf)
        return counting, counting

    return View(both)


def mean_over_both(sums: Sums) -> Float[Tensor, ""]:
    """Return the mean over rows and columns, 1/2 (mean_i LSE_j + mean_j LSE_i), on every rank."""
    total = sum_over_ranks(sums.rows.sum()) + sums.columns.sum()
    return total / (2 * len(sums.columns))


class _Running:
    """Row log-sum-exps of this rank's studies, and column ones over everybody's."""

    def __init__(self, study: Tensor, report: Tensor) -> None:
        self.rows = report.new_empty(len(study))
        self.highest = report.new_full((len(report),), torch.finfo(report.dtype).min)
        self.total = report.new_zeros(len(report))

    def add(self, rows: slice, over_rows: Tensor, over_columns: Tensor, scratch: Tensor) -> None:
        top = over_rows.amax(1, keepdim=True)
        sums = torch.sub(over_rows, top, out=scratch).exp_().sum(1)
        torch.add(sums.log_(), top[:, 0], out=self.rows[rows])
        highest = torch.maximum(self.highest, over_columns.amax(0))
        self.total *= (self.highest - highest).exp_()
        self.total += torch.sub(over_columns, highest, out=scratch).exp_().sum(0)
        self.highest.copy_(highest)

    def columns(self) -> Float[Tensor, " gallery"]:
        everywhere = highest_over_ranks(self.highest)
        return sum_over_ranks(self.total * (self.highest - everywhere).exp_()).log() + everywhere


class _LogSumExps(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        study: Tensor,
        report: Tensor,
        scale: Tensor,
        views: tuple[View, ...],
        linear: Callable[[slice], Tensor] | None,
    ) -> tuple[Tensor, ...]:
        sums = [_Running(study, report) for _ in views]
        scratch, tile, kept, total = _tile(report), _tile(report), [], report.new_zeros(())
        fits = len(study) * len(report) * report.itemsize <= KEPT_BYTES
        keeps = fits and any(ctx.needs_input_grad)
        for rows in slices(study, report):
            size = rows.stop - rows.start
            logits = torch.mm(study[rows] * scale, report.T, out=None if keeps else tile[:size])
            for view, own in zip(views, sums, strict=True):
                own.add(rows, *view.cells(rows, logits), scratch[:size])
            if linear is not None:
                total += (linear(rows) * logits).sum()
            if keeps:
                kept.append(logits)
        own_rows = [own.rows for own in sums]
        columns = [own.columns() for own in sums]
        ctx.save_for_backward(study, report, scale, *own_rows, *columns)
        ctx.views, ctx.linear, ctx.kept = views, linear, kept
        return (*own_rows, *columns, total)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        study, report, scale, *sums = ctx.saved_tensors
        count = len(ctx.views)
        per_view = list(
            zip(
                ctx.views,
                zip(sums[:count], [own[:, None] for own in gradients[:count]], strict=True),
                # every rank asks the same of the columns
                zip(sums[count:], [world_size() * g for g in gradients[count:-1]], strict=True),
                strict=True,
            )
        )
        pull, push = torch.empty_like(study), torch.zeros_like(report)
        lean = study.new_empty(len(study))  # summed as own logits are, which may cancel it
        slope, scratch, tile = _tile(report), _tile(report), _tile(report)
        for place, rows in enumerate(slices(study, report)):
            size = rows.stop - rows.start
            if ctx.kept:
                logits = ctx.kept[place]
            else:
                logits = torch.mm(study[rows] * scale, report.T, out=tile[:size])
            weight = slope[:size].zero_()
            for view, (over_rows, by_row), (over_columns, by_column) in per_view:
                cells = view.cells(rows, logits)
                share = torch.sub(cells[0], over_rows[rows, None], out=scratch[:size]).exp_()
                weight.add_(share.mul_(by_row[rows]), alpha=view.factor)
                share = torch.sub(cells[1], over_columns, out=scratch[:size]).exp_()
                weight.add_(share.mul_(by_column), alpha=view.factor)
            if ctx.linear is not None:
                weight.addcmul_(ctx.linear(rows), gradients[-1])
            own = torch.mm(weight, report, out=pull[rows])
            push.addmm_(weight.T, study[rows])
            torch.sum(own * study[rows], 1, out=lean[rows])
        return pull.mul_(scale), push.mul_(scale), lean.sum(), None, None


def slices(
    study: Float[Tensor, "study dim"], report: Float[Tensor, "gallery width"]
) -> Iterator[slice]:
    """Yield the rows of each tile of studies against reports."""
    size = _rows(report)
    for first in range(0, len(study), size):
        yield slice(first, min(first + size, len(study)))


def _rows(report: Tensor) -> int:
    """Return how many rows a tile has."""
    return max(64, TILE_CELLS.get(report.device.type, TILE_CELLS["cpu"]) // len(report))


def _tile(report: Tensor) -> Tensor:
    return report.new_empty(_rows(report), len(report))
