"""The sigmoid loss over all pairs, tile by tile, with its gradient in the same pass.

Source: Zhai et al. 2023, arXiv:2303.15343, section 3.3.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from cinelex.core.distributed import sum_over_ranks, world_size
from cinelex.losses.pairs import Pairs
from cinelex.losses.tiles import slices

SOFTPLUS_IS_LINEAR = 40.0
"""Beyond it ln(1 + e^x) is x in double precision too."""


class Judged(NamedTuple):
    """What the pairs of this rank's studies with everybody's reports are."""

    pairs: Callable[[slice], Pairs]
    """Of some of the rows."""
    drawn: Float[Tensor, "study dim"]
    """The sum of the reports that are a study's positives."""
    positives: Float[Tensor, ""]
    """How many positive pairs there are."""


def sigmoid_cost(
    study: Float[Tensor, "study dim"],
    report: Float[Tensor, "gallery dim"],
    *,
    scale: Float[Tensor, ""],
    bias: Float[Tensor, ""],
    judged: Judged,
) -> Float[Tensor, ""]:
    """Return the sum of -log sigmoid(z (scale * study report^T + bias)) over pairs and ranks.

    z is 1 where a pair is positive and -1 elsewhere. Each cell has its gradient by itself, so the
    one pass forward makes both.

    Args:
        study: This rank's unit rows, in float32 or better.
        report: Everybody's unit rows.
        scale: Multiplies the cosines.
        bias: Added to them.
        judged: Which of this rank's pairs are what.
    """
    value: Tensor = _SigmoidCost.apply(study, report, scale, bias, judged)
    return value


class _SigmoidCost(torch.autograd.Function):
    """Of -log sigmoid(-x) of all pairs, less x of the positive ones, which makes theirs its own."""

    @staticmethod
    def forward(
        ctx: Any,
        study: Tensor,
        report: Tensor,
        scale: Tensor,
        bias: Tensor,
        judged: Judged,
    ) -> Tensor:
        scaled = study * scale
        cost = -(scaled * judged.drawn).sum() - bias * judged.positives
        pull, push, lean = torch.empty_like(study), torch.zeros_like(report), cost.new_zeros(())
        for rows in slices(study, report):
            pairs = judged.pairs(rows)
            logits = torch.addmm(bias, scaled[rows], report.T)
            logits.masked_fill_(pairs.excluded, -torch.inf)
            cost += F.softplus(logits, threshold=SOFTPLUS_IS_LINEAR).sum()
            slope = logits.sigmoid_().sub_(pairs.positive.view(torch.uint8))
            lean += slope.sum()
            torch.mm(slope, report, out=pull[rows])
            push.addmm_(slope.T, study[rows])
        ctx.save_for_backward(pull, push, study, scale, lean)
        return sum_over_ranks(cost)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        pull, push, study, scale, lean = ctx.saved_tensors
        whole = gradients[0] * world_size()
        by_rows = whole * scale
        return by_rows * pull, by_rows * push, whole * torch.sum(pull * study), whole * lean, None
