"""The weights that held-out studies are looked at with, between the steps."""

import copy

from torch import nn

from cinelex.config.schema import RunConfig
from cinelex.core.sharding import whole
from cinelex.runners.ema import Ema


class Validated:
    """The trained module, or a copy where its own weights are not what is looked at."""

    def __init__(self, module: nn.Module, config: RunConfig) -> None:
        """Keep the fresh module of a run; a copy where averages, or spread weights, are trained."""
        copied = config.ema_decay is not None or config.parallel == "fsdp"
        self._trained = module
        self._looked_at = copy.deepcopy(module) if copied else module

    def now(self, ema: Ema | None) -> nn.Module:
        """Return the module in evaluation mode, with the weights, or the averages, of now."""
        if self._looked_at is not self._trained:
            tensors = {**self._trained.state_dict(), **(ema.state() if ema else {})}
            self._looked_at.load_state_dict({n: whole(t) for n, t in tensors.items()})
        return self._looked_at.eval()
