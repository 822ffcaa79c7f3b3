"""Whether weight decay or the gradient decides where the weights of a tower go."""

from collections import defaultdict
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from cinelex.runners.probe import Numbers, Probe


class WeightDecayProbe(Probe):
    """The norm of weight decay beside AdamW's own step, for each part of the module."""

    def __init__(self, *, every: int) -> None:
        self.every = every

    def after_update(self, module: nn.Module, optimizer: torch.optim.Optimizer) -> Numbers:
        """Return ``decay_over_update/<tower>``: the norm of decay over that of AdamW's step."""
        return decay_over_update(module, optimizer)


@torch.no_grad()
def decay_over_update(
    module: nn.Module, optimizer: torch.optim.Optimizer
) -> dict[str, Tensor | float]:
    """Return, for each top-level part with decaying weights, |decay W| / |m / (sqrt(v) + eps)|.

    Both are multiplied by the same learning rate, which cancels. Far below 1 where gradients
    decide; above 1 the weights shrink, whatever the loss says.

    Source: Loshchilov & Hutter 2017, arXiv:1711.05101, Algorithm 2, lines 7 to 12.
    """
    names = {parameter: name for name, parameter in module.named_parameters()}
    decays: dict[str, list[Tensor]] = defaultdict(list)
    updates: dict[str, list[Tensor]] = defaultdict(list)
    for group in optimizer.param_groups:
        for weight in group["params"]:
            state = optimizer.state.get(weight) or {}
            # Muon keeps no mean square; its steps are as long whatever the gradient is
            if not group["weight_decay"] or "exp_avg_sq" not in state or weight not in names:
                continue
            tower = names[weight].partition(".")[0]
            decays[tower].append(group["weight_decay"] * torch.linalg.vector_norm(weight))
            updates[tower].append(torch.linalg.vector_norm(_adam_step(state, group)))
    smallest = torch.finfo(torch.float32).tiny
    return {
        f"decay_over_update/{tower}": torch.stack(decays[tower]).norm()
        / torch.stack(updates[tower]).norm().clamp_min(smallest)
        for tower in decays
    }


def _adam_step(state: Mapping[str, Tensor], group: Mapping[str, object]) -> Tensor:
    """Return the step that AdamW makes for one parameter, per unit of learning rate."""
    betas, eps = group["betas"], group["eps"]
    assert isinstance(betas, tuple | list)
    assert isinstance(eps, float)
    made = float(state["step"])
    mean = state["exp_avg"] / (1 - betas[0] ** made)
    square = state["exp_avg_sq"] / (1 - betas[1] ** made)
    return mean / (square.sqrt() + eps)
