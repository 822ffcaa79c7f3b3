"""Counts what would wait for a GPU, in a step that runs on the CPU."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

WAITING = {
    "aten._local_scalar_dense.default",  # .item(), bool(), float(), int()
    "aten.nonzero.default",
    "aten.masked_select.default",
    "aten.bincount.default",
    "aten._unique2.default",
}
"""Operations whose result, or whose result's shape, the processor has to know."""
INDEXING = (torch.ops.aten.index.Tensor, torch.ops.aten.index_put.default)
"""Operations that wait where the index is a mask."""


def _is_mask(index: Any) -> bool:
    return index is not None and index.dtype == torch.bool


def _waits(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    if func == torch.ops.aten.repeat_interleave.Tensor:
        return kwargs.get("output_size") is None
    return str(func) in WAITING or (func in INDEXING and any(map(_is_mask, args[1])))


class Waits(TorchDispatchMode):
    """Counts the operations that would wait for a GPU."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[Any],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        named = kwargs or {}
        if _waits(func, args, named):
            self.found[str(func)] += 1
        return func(*args, **named)
