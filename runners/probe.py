"""What may look at an update from outside without changing it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

Numbers = Mapping[str, Tensor | float]
"""What joins a step's record."""


@runtime_checkable
class Probe(Protocol):
    """Looks at some updates, at either moment.

    It must leave weights, gradients, moments and every random state as it found them, and return
    the same numbers for the same state, so that a resumed run has the record of one that was not
    interrupted. All ranks call it together.
    """

    every: int
    """It looks at the first step and at every so many; 0 never looks."""

    def before_backward(self, module: nn.Module, terms: Mapping[str, Tensor]) -> Numbers:
        """Look at the unweighted terms of the global batch; their graph must survive."""
        return {}

    def after_update(self, module: nn.Module, optimizer: torch.optim.Optimizer) -> Numbers:
        """Look at the weights and at the optimizer's state after the step."""
        return {}


def looking(
    probes: Sequence[Probe], module: nn.Module, found: dict[str, Tensor | float]
) -> Callable[[Mapping[str, Tensor]], None]:
    """Return what shows the terms of an update to some probes, and adds what they say."""

    def look(terms: Mapping[str, Tensor]) -> None:
        for probe in probes:
            found.update(probe.before_backward(module, terms))

    return look


def due(probes: Sequence[Probe], step: int) -> list[Probe]:
    """Return the probes that look at optimizer step ``step``, from 1."""
    return [one for one in probes if looks_at(one.every, step)]


def looks_at(every: int, step: int) -> bool:
    """Return whether what looks ``every`` so many steps looks at optimizer step ``step``."""
    return every > 0 and (step == 1 or step % every == 0)
