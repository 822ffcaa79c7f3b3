"""How far an update moves each layer, and what it leaves as it was."""

import re
from collections import defaultdict
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from cinelex.runners.probe import Numbers, Probe

SAMPLED = 4096
"""Numbers of a tensor that are compared, evenly spaced: a copy of a whole model is too much."""
NUMBERED = re.compile(r"^(.*?\.\d+)(?:\.|$)")


class LayerProbe(Probe):
    """Update over weight of each layer, and how many tensors of each tower no update moves."""

    def __init__(self, *, every: int) -> None:
        self.every = every
        self._before: dict[str, Tensor] = {}

    @torch.no_grad()
    def before_backward(self, module: nn.Module, terms: Mapping[str, Tensor]) -> Numbers:
        """Remember the weights."""
        self._before = {
            name: _sampled(weight).clone()
            for name, weight in module.named_parameters()
            if weight.requires_grad
        }
        return {}

    @torch.no_grad()
    def after_update(self, module: nn.Module, optimizer: torch.optim.Optimizer) -> Numbers:
        """Return ``update_over_weight/<layer>`` and ``unchanged/<tower>``."""
        before, self._before = self._before, {}
        now = {name: _sampled(weight) for name, weight in module.named_parameters()}
        lengths: dict[str, list[Tensor]] = defaultdict(list)
        still: dict[str, list[Tensor]] = defaultdict(list)
        for name, weights in before.items():
            step = now[name] - weights
            lengths[layer_of(name)].append(torch.stack([step.norm(), weights.norm()]))
            still[name.partition(".")[0]].append((step == 0).all())
        found: dict[str, Tensor | float] = {}
        for layer, norms in lengths.items():
            moved, size = torch.stack(norms).norm(dim=0)
            # a layer that begins at zero moves all the way, which says nothing
            found[f"update_over_weight/{layer}"] = torch.where(size > 0, moved / size, 0.0)
        return found | {
            f"unchanged/{tower}": torch.stack(all_).sum() for tower, all_ in still.items()
        }


def layer_of(name: str) -> str:
    """Return the layer of a parameter: its name up to the first number, or its first two parts."""
    above = name.rpartition(".")[0]
    numbered = NUMBERED.match(above)
    return numbered[1] if numbered else ".".join(above.split(".")[:2]) or name


def _sampled(weight: Tensor) -> Tensor:
    flat = weight.detach().reshape(-1)
    return flat[:: max(1, -(-len(flat) // SAMPLED))]
