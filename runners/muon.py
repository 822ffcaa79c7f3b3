"""Muon for whatever is a matrix to its input: linear layers, and convolutions laid flat."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor

from cinelex.core.sharding import as_parameter, own_part, whole

MOMENTUM: Final = 0.95
"""As its authors use it."""
STEPS: Final = 5
"""Newton-Schulz steps; singular values end between 0.7 and 1.2."""
QUINTIC: Final = (3.4445, -4.7750, 2.0315)
SMALLEST: Final = 1e-7
"""Norm below which a matrix counts as 0."""


class Muon(torch.optim.Optimizer):
    """Momentum made orthogonal: every direction of a matrix moves as far as every other.

    ``torch.optim.Muon`` refuses convolutions, which are matrices from all that an output reads. The
    steps are as long as AdamW's, by element, so that one decay serves both.

    Source: Jordan et al. 2024, Muon, with Nesterov momentum; Liu et al. 2025, arXiv:2502.16982,
    section 2.2, for the length.
    """

    found_inf: Tensor | None = None
    """Above 0 where a step is to leave everything as it is; read on the device, by no process."""

    def __init__(self, groups: Sequence[dict[str, Any]], *, lr: float) -> None:
        """Take groups of matrices and convolutions, each with ``weight_decay``."""
        super().__init__(groups, {"lr": lr, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move all that have a gradient; all ranks call it together where weights are sharded."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._move(weight, rate=group["lr"], decay=group["weight_decay"])

    def _move(self, weight: Tensor, *, rate: float, decay: float) -> None:
        assert weight.grad is not None
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight)
        momentum = state["momentum"].lerp(weight.grad, 1 - MOMENTUM)
        matrix = whole(weight.grad.lerp(momentum, MOMENTUM)).flatten(1)
        length = 0.2 * math.sqrt(max(matrix.shape))
        change = as_parameter(orthogonal(matrix).view(weight.shape), weight)
        moved = (weight * (1 - rate * decay)).sub_(change, alpha=rate * length)
        self._keep(state["momentum"], momentum)
        self._keep(weight, moved)

    def _keep(self, old: Tensor, new: Tensor) -> None:
        """Put what is new in the place of the old, unless the step is left out."""
        mine, value = own_part(old), own_part(new)
        if self.found_inf is not None:
            value = torch.where(own_part(self.found_inf) > 0, mine, value)
        mine.copy_(value)


def orthogonal(matrix: Float[Tensor, "row column"]) -> Float[Tensor, "row column"]:
    """Return a matrix with the same singular vectors, and singular values about 1."""
    wide = matrix if len(matrix) <= matrix.shape[1] else matrix.T
    a, b, c = QUINTIC
    near = wide / wide.norm().clamp_min(SMALLEST)
    for _ in range(STEPS):
        gram = near @ near.T
        near = a * near + (b * gram + c * gram @ gram) @ near
    return near if wide is matrix else near.T
