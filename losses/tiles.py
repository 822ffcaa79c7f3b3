"""Sums over a similarity matrix, tile by tile: exact, and never the whole matrix in memory.

The matrix of N studies and N reports has N^2 cells; a contrastive loss asks for sums over its rows
and columns. They are made from tiles of a few rows, which the backward pass makes again, so that
memory grows with N and not with its square. Each rank makes the rows of its own studies.

Source: Cheng et al. 2024, Inf-CL, arXiv:2410.17243, section 3; for the sigmoid loss, Zhai et al.
2023, arXiv:2303.15343, section 3.3.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from cinelex.core.distributed import highest_over_ranks, sum_over_ranks, world_size
from cinelex.losses.pairs import Pairs

Cells = Bool[Tensor, "rows gallery"]

TILE_CELLS = {"cpu": 2**20, "cuda": 2**24}
"""One that stays in the cache of a processor, one that fills a GPU."""
KEPT_BYTES = 2**26
"""Logits of a rank that are kept for the backward pass, which else costs a fourth product."""


class Part(NamedTuple):
    """Cells whose log-sum-exps count with a sign."""

    sign: float
    left_out: Callable[[slice], Cells | None]
    """Of some of this rank's rows, the cells that do not count; None where all do."""


def mean_log_sum_exp(
    study: Float[Tensor, "study dim"],
    report: Float[Tensor, "gallery dim"],
    *,
    scale: Float[Tensor, ""],
    parts: Sequence[Part],
) -> Float[Tensor, ""]:
    """Return the mean log-sum-exp over rows and columns of the logits, summed over signed parts.

        1/2 sum_p sign_p (mean_i LSE_j S_ij + mean_j LSE_i S_ij),  S = scale * study report^T

    Every rank gets the value of the global batch, and as gradient world size times its share, as
    `core.distributed` explains. Every row and column has a cell that counts.

    Args:
        study: This rank's unit rows, in float32 or better.
        report: Everybody's unit rows, as many as there are studies on all ranks.
        scale: Multiplies the cosines.
        parts: Which cells count.
    """
    value: Tensor = _MeanLogSumExp.apply(study, report, scale, parts)
    return value


def sigmoid_cost(
    study: Float[Tensor, "study dim"],
    report: Float[Tensor, "gallery dim"],
    *,
    scale: Float[Tensor, ""],
    bias: Float[Tensor, ""],
    pairs: Callable[[slice], Pairs],
) -> Float[Tensor, ""]:
    """Return the sum of -log sigmoid(z (scale * study report^T + bias)) over pairs and ranks.

    z is 1 where a pair is positive and -1 elsewhere. Each cell has its gradient by itself, so the
    one pass forward makes both.

    Args:
        study: This rank's unit rows, in float32 or better.
        report: Everybody's unit rows.
        scale: Multiplies the cosines.
        bias: Added to them.
        pairs: What the cells of some of this rank's rows are.
    """
    value: Tensor = _SigmoidCost.apply(study, report, scale, bias, pairs)
    return value


class _Sums:
    """Row log-sum-exps of this rank's studies, and column ones over everybody's."""

    def __init__(self, report: Tensor) -> None:
        self.rows: list[Tensor] = []
        self.highest = report.new_full((len(report),), torch.finfo(report.dtype).min)
        self.total = report.new_zeros(len(report))

    def add(self, logits: Tensor, scratch: Tensor) -> None:
        top = logits.amax(1, keepdim=True)
        self.rows.append(torch.sub(logits, top, out=scratch).exp_().sum(1).log_() + top[:, 0])
        highest = torch.maximum(self.highest, logits.amax(0))
        self.total *= (self.highest - highest).exp_()
        self.total += torch.sub(logits, highest, out=scratch).exp_().sum(0)
        self.highest = highest

    def columns(self) -> Float[Tensor, " gallery"]:
        everywhere = highest_over_ranks(self.highest)
        return sum_over_ranks(self.total * (self.highest - everywhere).exp_()).log() + everywhere


class _MeanLogSumExp(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, study: Tensor, report: Tensor, scale: Tensor, parts: Sequence[Part]
    ) -> Tensor:
        scaled, sums = study * scale, [_Sums(report) for _ in parts]
        scratch, tile, kept = _tile(report), _tile(report), []
        fits = len(study) * len(report) * report.itemsize <= KEPT_BYTES
        keeps = fits and any(ctx.needs_input_grad)
        for rows in _slices(study, report):
            size = rows.stop - rows.start
            logits = torch.mm(scaled[rows], report.T, out=None if keeps else tile[:size])
            for part, own in zip(parts, sums, strict=True):
                own.add(_counting(logits, part, rows), scratch[:size])
            if keeps:
                kept.append(logits)
        signs = [part.sign for part in parts]
        row_sums, column_sums = [torch.cat(own.rows) for own in sums], [o.columns() for o in sums]
        ctx.save_for_backward(study, report, scale, *row_sums, *column_sums)
        ctx.parts, ctx.kept = parts, kept
        over_rows = sum_over_ranks(_signed(signs, row_sums))
        return (over_rows + _signed(signs, column_sums)) / (2 * len(report))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        study, report, scale, *sums = ctx.saved_tensors
        scaled, sums = study * scale, list(zip(sums, sums[len(ctx.parts) :], strict=False))
        pull, push = torch.empty_like(study), torch.zeros_like(report)
        softmax, scratch, tile = _tile(report), _tile(report), _tile(report)
        for place, rows in enumerate(_slices(study, report)):
            size = rows.stop - rows.start
            if ctx.kept:
                logits = ctx.kept[place]
            else:
                logits = torch.mm(scaled[rows], report.T, out=tile[:size])
            weight = softmax[:size].zero_()
            for part, (over_rows, over_columns) in zip(ctx.parts, sums, strict=True):
                counting = _counting(logits, part, rows)
                for total in (over_rows[rows, None], over_columns):
                    share = torch.sub(counting, total, out=scratch[:size]).exp_()
                    weight.add_(share, alpha=part.sign)
            torch.mm(weight, report, out=pull[rows])
            push.addmm_(weight.T, study[rows])
        whole = gradients[0] * world_size() / (2 * len(report))
        return whole * scale * pull, whole * scale * push, whole * (pull * study).sum(), None


class _SigmoidCost(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        study: Tensor,
        report: Tensor,
        scale: Tensor,
        bias: Tensor,
        pairs: Callable[[slice], Pairs],
    ) -> Tensor:
        scaled, cost = study * scale, study.new_zeros(())
        pull, push, lean = torch.empty_like(study), torch.zeros_like(report), cost.clone()
        for rows in _slices(study, report):
            judged = pairs(rows)
            logits = torch.addmm(bias, scaled[rows], report.T)
            signed = torch.where(judged.positive, logits, -logits)
            signed.masked_fill_(judged.excluded, torch.inf)
            cost -= F.logsigmoid(signed).sum()
            slope = torch.sigmoid(-signed)
            slope = torch.where(judged.positive, -slope, slope)
            lean += slope.sum()
            torch.mm(slope, report, out=pull[rows])
            push.addmm_(slope.T, study[rows])
        ctx.save_for_backward(scale * pull, scale * push, (pull * study).sum(), lean)
        return sum_over_ranks(cost)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        whole = gradients[0] * world_size()
        return (*(whole * own for own in ctx.saved_tensors), None)


def _slices(study: Tensor, report: Tensor) -> Iterator[slice]:
    size = _rows(report)
    for first in range(0, len(study), size):
        yield slice(first, min(first + size, len(study)))


def _rows(report: Tensor) -> int:
    """Return how many rows a tile has."""
    return max(64, TILE_CELLS.get(report.device.type, TILE_CELLS["cpu"]) // len(report))


def _tile(report: Tensor) -> Tensor:
    return report.new_empty(_rows(report), len(report))


def _counting(logits: Tensor, part: Part, rows: slice) -> Tensor:
    left_out = part.left_out(rows)
    return logits if left_out is None else logits.masked_fill(left_out, -torch.inf)


def _signed(signs: Sequence[float], sums: Sequence[Tensor]) -> Tensor:
    return torch.stack([sign * own.sum() for sign, own in zip(signs, sums, strict=True)]).sum()
