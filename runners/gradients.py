"""From a batch to the gradients of its weighted loss: at once, or by micro-batches."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic

import torch
from torch import Tensor, nn
from torch.profiler import record_function

from cinelex.losses.weighted_sum import WeightedSum
from cinelex.projects.interface.project import BatchT, Training
from cinelex.runners.accumulation import accumulate
from cinelex.runners.balancing import Balancer

Terms = Mapping[str, Tensor]
Look = Callable[[Terms], None]


@dataclass(frozen=True, kw_only=True)
class Gradients(Generic[BatchT]):
    """Leaves the gradients of a batch in the model's parameters."""

    project: Training[BatchT, Any]
    """What is trained."""
    model: nn.Module
    """What is called, distributed where there are several processes."""
    device: torch.device
    """Where the model is."""
    bf16: bool
    """Run the model in bfloat16."""
    micro_batches: int
    """Into how many a batch is cut; the gradients do not depend on it, but for rounding."""
    balancer: Balancer | None = None
    """What weighs the terms beside their weights; None leaves it at these."""

    def of(
        self, batch: BatchT, weights: Mapping[str, float], *, look: Look
    ) -> tuple[Tensor, Terms]:
        """Return the loss, at these weights, and its terms over the global batch, detached.

        Args:
            batch: This rank's share of the global batch, best on the device already.
            weights: The weight of each term.
            look: Shown the terms while their graph reaches the parameters.
        """
        if self.micro_batches > 1:
            return self._by_micro_batch(batch, weights, look=look)
        batch = batch.to(self.device)
        with record_function("step: forward"), self._autocast():
            outputs = self.project.outputs(self.model, batch)
        with record_function("step: losses"), self._autocast():
            terms = self.project.losses(outputs, batch)
            loss = self._sum(terms, weights)
        look(terms)
        with record_function("step: backward"):
            loss.backward()
        return self._recorded(loss), {name: term.detach() for name, term in terms.items()}

    def _by_micro_batch(
        self, batch: BatchT, weights: Mapping[str, float], *, look: Look
    ) -> tuple[Tensor, Terms]:
        whole = batch.to(self.device)
        micro_batches = whole.split(self.micro_batches)

        def losses(outputs: Any) -> tuple[Tensor, Terms]:
            with self._autocast():
                terms = self.project.losses(outputs, whole)
            return self._sum(terms, weights), terms

        loss, terms = accumulate(
            [partial(self._outputs, one) for one in micro_batches],
            losses,
            model=self.model,
            device=self.device,
            look=look,
        )
        return self._recorded(loss), terms

    def _sum(self, terms: Terms, weights: Mapping[str, float]) -> Tensor:
        scaled = self.balancer.scaled(terms, weights) if self.balancer else terms
        return WeightedSum(weights)(scaled)

    def _recorded(self, loss: Tensor) -> Tensor:
        return self.balancer.recorded(loss) if self.balancer else loss.detach()

    def _outputs(self, micro_batch: BatchT) -> Any:
        with self._autocast():
            return self.project.outputs(self.model, micro_batch)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)
