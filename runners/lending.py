"""A whole model that is looked at, and never is whole on a device."""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cinelex.runners.parallel import blocks


def lent(module: nn.Module, device: torch.device) -> ExitStack:
    """Bring a module to a device until the stack is closed, its blocks only while they work.

    For looking alone: what is on the device is a copy of what stays in the memory of the host. The
    ranks need not call the same parts equally often, as they must where the weights are spread.
    """
    stack, visits = ExitStack(), _Visits(device)
    repeated = {part for block in blocks(module) for part in block.modules()}
    for part in repeated:  # an inner one may be asked alone
        if next(part.parameters(), None) is not None:
            stack.callback(part.register_forward_pre_hook(visits.begin).remove)
            stack.callback(part.register_forward_hook(visits.end, always_call=True).remove)
    others = [part for part in module.modules() if part not in repeated]
    stack.callback(_leave, _bring(others, device))
    return stack


@dataclass(frozen=True)
class _Place:
    """Where a module keeps a tensor, and what it keeps there at home."""

    kept: dict[str, Any]
    name: str
    home: Tensor


def _bring(parts: Iterable[nn.Module], device: torch.device) -> list[_Place]:
    """Put copies on the device in the places of what is on the host; return these places."""
    found = [
        _Place(kept, name, tensor)
        for part in parts
        for kept in (part._parameters, part._buffers)
        for name, tensor in kept.items()
        if tensor is not None and tensor.is_cpu
    ]
    for place in found:
        place.kept[place.name] = place.home.detach().to(device)
    return found


def _leave(places: list[_Place]) -> None:
    for place in places:
        place.kept[place.name] = place.home


class _Visits:
    """The modules that are at work, each inside the one before, and what each has brought."""

    def __init__(self, device: torch.device) -> None:
        self._device, self._brought = device, list[list[_Place]]()

    def begin(self, part: nn.Module, _given: Any) -> None:
        """Bring what no module around it has brought."""
        self._brought.append(_bring(part.modules(), self._device))

    def end(self, _part: nn.Module, _given: Any, _made: Any) -> None:
        """Let go of it."""
        _leave(self._brought.pop())
