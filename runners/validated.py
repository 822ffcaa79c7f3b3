"""The weights that held-out studies are looked at with, between the steps."""

import copy
from collections.abc import Callable, Mapping
from contextlib import nullcontext

import torch
from torch import nn

from cinelex.config.schema import RunConfig
from cinelex.core.sharding import whole
from cinelex.runners.ema import Ema
from cinelex.runners.lending import lent
from cinelex.runners.parallel import spreads


class Validated:
    """The trained module, or a copy where its own weights are not what is looked at.

    The copy of a sharded run stays in the memory of the host; a block of it is on the device only
    while it works.
    """

    def __init__(self, module: nn.Module, config: RunConfig, device: torch.device) -> None:
        """Keep the fresh module of a run; a copy where averages, or spread weights, are trained.

        Args:
            module: As the project made it, on the host.
            config: Of the run.
            device: Where the looking is done.
        """
        self._device, self._stays_on_host = device, spreads(config.parallel)
        copied = config.ema_decay is not None or self._stays_on_host
        self._trained = module
        self._looked_at = copy.deepcopy(module) if copied else module
        if not self._stays_on_host:
            self._looked_at.to(device)

    def by(
        self, look: Callable[[nn.Module], Mapping[str, float]], ema: Ema | None
    ) -> Mapping[str, float]:
        """Return what is seen with the weights, or the averages, of now, in evaluation mode.

        Args:
            look: Gets the module, on the device.
            ema: The averages.
        """
        if self._looked_at is not self._trained:
            tensors = {**self._trained.state_dict(), **(ema.state() if ema else {})}
            kept = self._looked_at.state_dict()
            for name, tensor in tensors.items():  # one whole tensor at a time
                kept[name].copy_(whole(tensor.detach()))
        self._looked_at.eval()
        with lent(self._looked_at, self._device) if self._stays_on_host else nullcontext():
            return look(self._looked_at)
