"""Cross-entropy over a large vocabulary, whose logits are never all in memory.

The logits of 32 reports of 256 tokens over 30,522 tokens take 1 GiB, their gradient as much again.
They are made from a few rows at a time, and made again for the gradient.

Source: Wijmans et al. 2024, Cut Cross-Entropy, arXiv:2411.09009, section 3.
"""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

CHUNK_CELLS = {"cpu": 2**23, "cuda": 2**25}
"""Logits that are in memory at a time."""
MIN_ROWS = 16


def next_token_costs(
    features: Float[Tensor, "study token width"],
    token_ids: Int[Tensor, "study token"],
    *,
    weight: Float[Tensor, "vocab width"],
    bias: Float[Tensor, " vocab"],
) -> Float[Tensor, "study next"]:
    """Return -log p of each token but the first, from the features of the token before, in nats.

    p is the softmax of weight features + bias. The product is made in the precision of autocast,
    the softmax in float32 or better.

    Args:
        features: Of every token of each study.
        token_ids: The tokens.
        weight: Of the map to the vocabulary.
        bias: Of the same.
    """
    device = features.device.type
    # the device meta, on which recipes are tried, knows no autocast
    known = torch.amp.is_autocast_available(device)
    autocast = known and torch.is_autocast_enabled(device)
    made_in = torch.get_autocast_dtype(device) if autocast else features.dtype
    before, target = features[:, :-1].flatten(0, 1), token_ids[:, 1:]
    with torch.autocast(device, enabled=False) if known else nullcontext():
        costs: Tensor = _Costs.apply(before, weight, bias, target.flatten(), made_in)
    return costs.view(target.shape)


class _Costs(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        features: Tensor,
        weight: Tensor,
        bias: Tensor,
        target: Tensor,
        made_in: torch.dtype,
    ) -> Tensor:
        totals, drawn = [], []
        for rows in _chunks(features, weight):
            logits = _logits(features[rows], weight, bias, made_in)
            totals.append(logits.logsumexp(1))
            drawn.append(logits.gather(1, target[rows, None])[:, 0])
        total = torch.cat(totals)
        ctx.save_for_backward(features, weight, bias, target, total)
        ctx.made_in = made_in
        return total - torch.cat(drawn)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        features, weight, bias, target, total = ctx.saved_tensors
        pull, push = torch.empty_like(features), weight.new_zeros(weight.shape)
        lean = bias.new_zeros(bias.shape)
        for rows in _chunks(features, weight):
            gradient = gradients[0][rows, None]
            share = _logits(features[rows], weight, bias, ctx.made_in)
            share = share.sub_(total[rows, None]).exp_().mul_(gradient)
            share.scatter_add_(1, target[rows, None], -gradient)
            lean += share.sum(0)
            share = share.to(ctx.made_in)
            pull[rows] = share @ weight.to(ctx.made_in)
            if ctx.made_in == push.dtype:
                push.addmm_(share.T, features[rows])
            else:
                push += share.T @ features[rows].to(ctx.made_in)
        return pull, push, lean, None, None


def _logits(features: Tensor, weight: Tensor, bias: Tensor, made_in: torch.dtype) -> Tensor:
    logits = features.to(made_in) @ weight.to(made_in).T
    return logits.to(torch.promote_types(logits.dtype, torch.float32)).add_(bias)


def _chunks(features: Tensor, weight: Tensor) -> Iterator[slice]:
    cells = CHUNK_CELLS.get(features.device.type, CHUNK_CELLS["cpu"])
    size = max(MIN_ROWS, cells // len(weight))
    for first in range(0, len(features), size):
        yield slice(first, first + size)
