"""P4 for captions: linear map and cross-entropy over a large vocabulary, beside torch's own.

python -m benchmarks.vocabulary [--quick]
"""

import sys
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.series import (
    Row,
    main,
    memory,
    ratio_of,
    report_peak,
    seconds,
    take_turns,
)
from cinelex.core.vocabulary import next_token_costs

WIDTH, VOCAB, TOKENS = 256, 30_522, 64
"""Of a small decoder with PubMedBERT's vocabulary."""
MODULE = "benchmarks.vocabulary"
Costs = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def chunked(features: Tensor, token_ids: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return what each token costs, without all logits."""
    return next_token_costs(features, token_ids, weight=weight, bias=bias)


def held(features: Tensor, token_ids: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return the same from logits."""
    logits = F.linear(features[:, :-1], weight, bias)
    return F.cross_entropy(logits.flatten(0, 1), token_ids[:, 1:].flatten(), reduction="none")


WAYS: dict[str, Costs] = {"ours": chunked, "torch": held}


def both(costs: Costs, studies: int) -> list[Tensor]:
    """Draw features and a map, run forward and backward; return the mean and the gradients."""
    random = torch.Generator().manual_seed(studies)
    shapes = (studies, TOKENS, WIDTH), (VOCAB, WIDTH), (VOCAB,)
    drawn = [torch.randn(*shape, generator=random) / WIDTH**0.5 for shape in shapes]
    features, weight, bias = (rows.requires_grad_() for rows in drawn)
    token_ids = torch.randint(VOCAB, (studies, TOKENS), generator=random)
    value = costs(features, token_ids, weight, bias).mean()
    return [value.detach(), *torch.autograd.grad(value, [features, weight, bias])]


def rows(quick: bool) -> list[Row]:
    """Compare the values, then time and memory."""
    studies, rounds = (8, 2) if quick else (32, 5)
    torch.testing.assert_close(both(chunked, studies), both(held, studies), rtol=1e-4, atol=1e-7)
    ways = {name: partial(both, costs, studies) for name, costs in WAYS.items()}
    taken = take_turns(ways, rounds=rounds)
    larger = f"captions of 32 × {TOKENS} tokens over {VOCAB:,}"
    what = f"captions of {studies} × {TOKENS} tokens over {VOCAB:,}"
    return [
        Row(
            number="P4",
            what=f"{what}, forward and backward",
            figure=seconds(taken["ours"]),
            beside=f"torch {torch.__version__}, linear and cross_entropy {seconds(taken['torch'])}",
            ratio=ratio_of(taken, "ours", "torch"),
            goal=1.35,  # the logits are made a second time: four products in place of three
        ),
        memory(MODULE, larger, ("32",), number="P4", peer=("torch", "torch"), goal=2 / 3),
    ]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--alone"]:
        torch.set_num_threads(1)
        report_peak(partial(both, WAYS[sys.argv[2]], int(sys.argv[3])))
        sys.exit(0)
    sys.exit(main(rows, MODULE))
