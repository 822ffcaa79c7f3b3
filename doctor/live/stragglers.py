"""Which process the others wait for: time that each takes alone, before any of them meet."""

import time
from collections.abc import Mapping
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from cinelex.core.distributed import gather_json, world_size
from cinelex.runners.probe import Numbers, Probe

Moment = float | torch.cuda.Event
"""On the processor's clock, or on the device's, which nobody has to wait for."""


class StragglerProbe(Probe):
    """The time from the end of a step to the end of the next forward pass, of every process.

    Nobody waits for another in it: what the slowest takes longer, the others spend waiting.
    """

    def __init__(self, *, every: int) -> None:
        self.every = every
        self._listening = False
        self._free: Moment | None = None
        self._ready: Moment | None = None
        self._took: list[tuple[Moment, Moment]] = []

    def before_backward(self, module: nn.Module, terms: Mapping[str, Tensor]) -> Numbers:
        """Return ``straggler/rank`` and ``straggler/slower``: its time over the median of all."""
        if world_size() == 1 or not self._listening:
            return {}
        took: list[float] = gather_json(median(_seconds(*pair) for pair in self._took or [(0, 0)]))
        self._took.clear()
        middle = sorted(took)[(len(took) - 1) // 2]
        slowest = max(range(len(took)), key=took.__getitem__)
        if middle <= 0:
            return {}
        return {"straggler/slower": took[slowest] / middle, "straggler/rank": float(slowest)}

    def after_update(self, module: nn.Module, optimizer: torch.optim.Optimizer) -> Numbers:
        """Begin to listen for forward passes and for the ends of steps, once."""
        if world_size() > 1 and not self._listening:
            self._listening = True
            module.register_forward_hook(self._has_run)
            optimizer.register_step_post_hook(self._has_stepped)
        return {}

    def _has_run(self, module: nn.Module, *_: Any) -> None:
        self._ready = _now(module)

    def _has_stepped(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        if self._free is not None and self._ready is not None:
            self._took.append((self._free, self._ready))
        self._free, self._ready = _now(optimizer), None


def _now(where: nn.Module | torch.optim.Optimizer) -> Moment:
    weights = (
        where.parameters() if isinstance(where, nn.Module) else where.param_groups[0]["params"]
    )
    if not next(iter(weights)).is_cuda:
        return time.perf_counter()
    moment = torch.cuda.Event(enable_timing=True)
    moment.record()
    return moment


def _seconds(began: Moment, ended: Moment) -> float:
    if isinstance(began, torch.cuda.Event) and isinstance(ended, torch.cuda.Event):
        ended.synchronize()
        return began.elapsed_time(ended) / 1000
    assert not isinstance(began, torch.cuda.Event)
    assert not isinstance(ended, torch.cuda.Event)
    return ended - began
