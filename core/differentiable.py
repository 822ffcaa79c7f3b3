"""Collectives through which gradients flow; `distributed` has them for any number of processes."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


class GatherRows(torch.autograd.Function):
    """Gather forward; backward, every rank gets the sum of what all want of its own rows."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, counts: list[int]) -> Tensor:
        """Stack every rank's rows in rank order."""
        ctx.counts = counts
        padded = rows.new_zeros(max(counts), *rows.shape[1:])
        padded[: len(rows)] = rows.detach()
        wire = padded.to(torch.uint8) if rows.dtype == torch.bool else padded
        parts = [torch.empty_like(wire) for _ in counts]
        dist.all_gather(parts, wire.contiguous())
        whole = torch.cat([part[:count] for part, count in zip(parts, counts, strict=True)])
        return whole.to(rows.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Add up what every rank wants of each row, and keep this rank's own."""
        longest = max(ctx.counts)
        # the same number of rows for every rank: gloo ends the process where they differ
        blocks = gradients[0].new_zeros(len(ctx.counts), longest, *gradients[0].shape[1:])
        for block, rows in zip(blocks, gradients[0].split(ctx.counts), strict=True):
            block[: len(rows)] = rows
        own = torch.empty_like(blocks[0])
        dist.reduce_scatter_tensor(own, blocks.flatten(0, 1))
        return own[: ctx.counts[dist.get_rank()]], None


class SumOverRanks(torch.autograd.Function):
    """Add up forward and backward."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        """Add up a tensor over the ranks."""
        total = value.detach().clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        """Add up its gradient over the ranks."""
        total = gradients[0].clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total
