"""An exponential moving average of the weights, which is smoother than they are."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from cinelex.core.sharding import as_parameter, own_part


class Ema:
    """Follow the trained parameters: average = decay * average + (1 - decay) * weight.

    It begins at the weights, so that it has no bias towards zero. After ``n`` steps a weight of
    that time still counts ``decay ** n``: 0.999 remembers about a thousand steps. A step that was
    left out moves nothing.

    Source: Polyak & Juditsky 1992; Tarvainen & Valpola 2017, arXiv:1703.01780, equation 2.
    """

    def __init__(self, model: nn.Module, *, decay: float) -> None:
        """Begin at the weights.

        Args:
            model: Whose parameters to follow.
            decay: Share of the average that a step leaves, in [0, 1).
        """
        self.decay = decay
        self._weights = {n: p for n, p in model.named_parameters() if p.requires_grad}
        self._averages = {name: p.detach().clone() for name, p in self._weights.items()}

    @torch.no_grad()
    def update(self, skipped: Tensor) -> None:
        """Follow one step, without waiting for the device.

        Args:
            skipped: 1.0 if the step was left out, else 0.0.
        """
        averages = [own_part(average) for average in self._averages.values()]
        weights = [own_part(weight.detach()) for weight in self._weights.values()]
        way = torch._foreach_sub(weights, averages)
        torch._foreach_mul_(way, (1 - self.decay) * (1 - skipped))
        torch._foreach_add_(averages, way)

    def state(self) -> dict[str, Tensor]:
        """Return the averages by the names of the parameters."""
        return dict(self._averages)

    @torch.no_grad()
    def restore(self, averages: Mapping[str, Tensor]) -> None:
        """Go on from saved averages; a parameter that has none keeps its weight."""
        for name, average in self._averages.items():
            if name in averages:
                average.copy_(as_parameter(averages[name], average))
