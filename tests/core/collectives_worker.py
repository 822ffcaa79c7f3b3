"""What one rank sees of every collective; `test_distributed` runs it on three."""

import sys
from pathlib import Path
from typing import Any

import torch

from cinelex.core import distributed
from cinelex.core.files import write_json

COUNTS = (2, 0, 3)
"""Rows of each rank."""


def rows_of(rank: int) -> torch.Tensor:
    """Return rows that say whose they are: 10 * rank + place."""
    return 10.0 * rank + torch.arange(2.0 * COUNTS[rank]).reshape(-1, 2)


def observe() -> dict[str, Any]:
    """Call every collective once."""
    me = distributed.rank()
    rows = rows_of(me).requires_grad_()
    gathered = distributed.gather_rows(rows)
    weights = torch.arange(float(gathered.numel())).reshape(gathered.shape)
    (weights * gathered).sum().backward()
    value = torch.tensor(float(me + 1), requires_grad=True)
    total = distributed.sum_over_ranks(value)
    (total**2).backward()
    assert rows.grad is not None
    assert value.grad is not None
    distributed.barrier()
    return {
        "world": distributed.world_size(),
        "is_main": distributed.is_main(),
        "counts": distributed.row_counts(rows),
        "gathered": gathered.tolist(),
        "rows_gradient": rows.grad.tolist(),
        "flags": distributed.gather_rows(rows.detach()[:, 0] > 10).tolist(),
        "tubelets": list(distributed.gather_rows(torch.zeros(COUNTS[me], 4, 5)).shape),
        "total": total.item(),
        "value_gradient": value.grad.item(),
        "max": distributed.max_over_ranks(7 * me),
        "json": distributed.gather_json({"rank": me, "word": "é" * me}),
        "main_says": distributed.broadcast_json(["main", None] if me == 0 else "ignored"),
    }


if __name__ == "__main__":
    distributed.start("cpu", timeout_s=60)
    seen = observe()
    write_json(Path(sys.argv[1]) / f"{distributed.rank()}.json", seen)
    distributed.stop()
