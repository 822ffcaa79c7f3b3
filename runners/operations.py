"""How many floating-point operations the products of real tensors take, counted as they run."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

Count = Callable[[Sequence[Any], Any], float]
aten = torch.ops.aten


def _product(left: Any, right: Any) -> float:
    """Return the operations of a matrix product, or of one in each of a batch."""
    return 2.0 * left.numel() * right.shape[-1]


def _convolution(args: Sequence[Any], out: Any) -> float:
    # a transposed one spreads its input where a plain one gathers its output
    cells = args[0] if args[6] else out
    return 2.0 * cells.numel() * args[1][0].numel()


def _convolution_backward(args: Sequence[Any], out: Any) -> float:
    cells = args[1] if args[7] else args[0]
    return 2.0 * cells.numel() * args[2][0].numel() * sum(args[-1][:2])


def _attention(query: Any, key: Any, value: Any) -> float:
    return 2.0 * math.prod(query.shape[:-1]) * key.shape[-2] * (query.shape[-1] + value.shape[-1])


COUNTS: dict[Any, Count] = {
    aten.mm.default: lambda args, out: _product(args[0], args[1]),
    aten.bmm.default: lambda args, out: _product(args[0], args[1]),
    aten.addmm.default: lambda args, out: _product(args[1], args[2]),
    aten.baddbmm.default: lambda args, out: _product(args[1], args[2]),
    aten.convolution.default: _convolution,
    aten.convolution_backward.default: _convolution_backward,
}
FUSED = (
    aten._scaled_dot_product_flash_attention,
    aten._scaled_dot_product_efficient_attention,
    aten._scaled_dot_product_cudnn_attention,
    aten._scaled_dot_product_flash_attention_for_cpu,
)
BACK = (
    aten._scaled_dot_product_flash_attention_backward,
    aten._scaled_dot_product_efficient_attention_backward,
    aten._scaled_dot_product_cudnn_attention_backward,
    aten._scaled_dot_product_flash_attention_for_cpu_backward,
)
COUNTS |= {one.default: lambda args, out: _attention(*args[:3]) for one in FUSED}
COUNTS |= {one.default: lambda args, out: 2 * _attention(*args[1:4]) for one in BACK}


class ModelOperations(TorchDispatchMode):
    """Counts what an update costs by definition: each product once forward, twice backward.

    A product and a sum are two operations; everything that is no product counts nothing. What is
    run again does not count: blocks that are recomputed for their gradient, the scores that fused
    attention makes again, and, with several micro-batches, the first pass without gradients (with
    those frozen towers that ask for none).

    Source: Chowdhery et al. 2022, PaLM, arXiv:2204.02311, appendix B.
    """

    def __init__(self, *, twice: bool) -> None:
        """Start at 0.

        Args:
            twice: The model is run without gradients first, as for micro-batches.
        """
        super().__init__()
        self.total, self._twice, self._paused = 0.0, twice, False

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Leave out what runs within."""
        self._paused = True
        try:
            yield
        finally:
            self._paused = False

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[Any],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run an operation, and count it."""
        out = func(*args, **(kwargs or {}))
        count = COUNTS.get(func)
        if count is not None and not self._paused and self._counts():
            self.total += count(args, out[0] if isinstance(out, tuple) else out)
        return out

    def _counts(self) -> bool:
        if torch._C._current_graph_task_id() != -1:  # inside a backward pass
            return not torch.is_grad_enabled()
        return torch.is_grad_enabled() or not self._twice
