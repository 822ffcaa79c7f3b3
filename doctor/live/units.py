"""Units that never answer, or always answer the same, whatever is shown."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.hooks import RemovableHandle

DEAD_BELOW: Mapping[str, float] = {"relu": 0.0, "gelu": -3.0, "silu": -6.0}
"""Inputs of an activation from which on down next to no gradient comes back: below 1 %."""
SATURATED_ABOVE: Mapping[str, float] = {"tanh": 3.0, "sigmoid": 6.0}
"""Sizes of an input from which on up it does not."""
CONVOLUTIONS = frozenset({"conv1d", "conv2d", "conv3d"})


class Units(TorchFunctionMode):
    """Sees every activation while a model runs; changes nothing."""

    def __init__(self, module: nn.Module) -> None:
        """Know the names of the parts of ``module``."""
        super().__init__()
        self._names = {part: name for name, part in module.named_modules()}
        self._inside: list[str] = []
        self._channels_first = False
        self._reached: dict[tuple[str, str], Tensor] = {}
        """By place and kind: the input of each unit that comes nearest to being alive."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run a function of torch, and look at what it was given if it is an activation."""
        name = getattr(func, "__name__", "")
        if name in CONVOLUTIONS or name == "linear":
            self._channels_first = name in CONVOLUTIONS
        elif (name in DEAD_BELOW or name in SATURATED_ABOVE) and args[0].ndim > 1:
            self._see(name, args[0])
        return func(*args, **(kwargs or {}))

    def numbers(self) -> dict[str, float]:
        """Return ``units/dead/<tower>`` and ``units/saturated/<tower>``: shares of its units."""
        counts: dict[str, list[Tensor]] = {}
        for (place, name), reached in self._reached.items():
            dead = name in DEAD_BELOW
            gone = reached <= DEAD_BELOW[name] if dead else reached >= SATURATED_ABOVE[name]
            kind = "dead" if dead else "saturated"
            counts.setdefault(f"units/{kind}/{place.partition('.')[0]}", []).append(gone)
        return {key: float(torch.cat(gone).float().mean()) for key, gone in counts.items()}

    def _see(self, name: str, given: Tensor) -> None:
        axis = 1 if self._channels_first else given.ndim - 1
        others = [one for one in range(given.ndim) if one != axis]
        dead = name in DEAD_BELOW
        now = given.detach().amax(others) if dead else given.detach().abs().amin(others)
        key = (self._inside[-1] if self._inside else "", name)
        before = self._reached.get(key)
        if before is not None and before.shape == now.shape:
            now = torch.maximum(before, now) if dead else torch.minimum(before, now)
        self._reached[key] = now

    def enter(self, part: nn.Module, *_: Any) -> None:
        """Note that a part of the module begins to run."""
        self._inside.append(self._names.get(part, self._inside[-1] if self._inside else ""))

    def leave(self, *_: Any) -> None:
        """Note that it has run."""
        self._inside.pop()


@contextmanager
def watching_units(module: nn.Module) -> Iterator[Units]:
    """Return what sees the activations of everything that runs of a module within."""
    units = Units(module)
    handles: list[RemovableHandle] = [
        nn.modules.module.register_module_forward_pre_hook(units.enter),
        nn.modules.module.register_module_forward_hook(units.leave, always_call=True),
    ]
    try:
        with units:
            yield units
    finally:
        for handle in handles:
            handle.remove()
