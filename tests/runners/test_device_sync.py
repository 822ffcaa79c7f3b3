"""The loop never asks the device for a value: a GPU would have to catch up before it answers."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.runners.line_project import line_config, trainer
from tests.runners.shared_project import SharedProject

WAITING = {
    "aten._local_scalar_dense.default",  # .item(), bool(), float(), int()
    "aten.nonzero.default",
    "aten.masked_select.default",
    "aten.repeat_interleave.Tensor",
    "aten.bincount.default",
    "aten._unique2.default",
}
"""Operations whose result, or whose result's shape, the processor has to know."""
INDEXING = (torch.ops.aten.index.Tensor, torch.ops.aten.index_put.default)
"""Operations that wait where the index is a mask."""


def _is_mask(index: Any) -> bool:
    return index is not None and index.dtype == torch.bool


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
        if str(func) in WAITING or (func in INDEXING and any(map(_is_mask, args[1]))):
            self.found[str(func)] += 1
        return func(*args, **(kwargs or {}))


def test_the_count_sees_what_waits() -> None:
    with Waits() as waits:
        row = torch.arange(3.0)
        row[row > 1].sum().item()
        assert bool(row[0] == 0)
    assert waits.found["aten._local_scalar_dense.default"] == 2
    assert waits.found["aten.index.Tensor"] == 1


@pytest.mark.parametrize(
    "more", [(), ("accumulate=2", "ema_decay=0.9"), ("recompute_activations=true",)]
)
def test_an_update_waits_for_nothing(tmp_path: Path, more: tuple[str, ...]) -> None:
    project = SharedProject()
    line, batches = trainer(tmp_path, project, line_config(*more)), project.batches(0)
    line.books.record.close()
    line.update(next(batches))
    batch = next(batches)
    with Waits() as waits:
        line.update(batch)
    assert waits.found == Counter()
