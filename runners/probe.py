"""What may look at an update from outside without changing it."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn


@runtime_checkable
class Probe(Protocol):
    """Looks at some updates, at either moment; what it returns joins the step's record.

    It must leave weights, gradients, moments and every random state as it found them, and return
    the same numbers for the same state, so that a resumed run has the record of one that was not
    interrupted. All ranks call it together.
    """

    def before_backward(
        self,
        step: int,
        *,
        module: nn.Module,
        terms: Mapping[str, Tensor],
        weights: Mapping[str, float],
    ) -> Mapping[str, Tensor | float]:
        """Look at the loss terms of optimizer step ``step``, from 1, while their graph is there.

        Args:
            step: The step that is being made.
            module: The trained module itself.
            terms: Unweighted terms over the global batch; their graph must survive.
            weights: The weight of each term.
        """
        return {}

    def after_update(
        self, step: int, *, module: nn.Module, optimizer: torch.optim.Optimizer
    ) -> Mapping[str, Tensor | float]:
        """Look at the weights and at the optimizer's state after optimizer step ``step``."""
        return {}
