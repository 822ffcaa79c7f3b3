"""From the balance that a config names to the weights of each step."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from cinelex.config.build import build_at
from cinelex.config.schedule import active_weights
from cinelex.config.schema import RunConfig
from cinelex.core.errors import UserError
from cinelex.losses import BALANCES
from cinelex.losses.balance import Balance
from cinelex.runners.parallel import spreads
from cinelex.runners.probe import looks_at
from cinelex.runners.shared_block import SharedBlock


class Balancer:
    """Weighs the terms of each step, and lets the balance learn from what came of it.

    It sees terms and gradients of the global batch, so that every process comes to the same
    weights without asking the others.
    """

    weights: Mapping[str, Tensor | float]
    """Of each term at the last step."""

    def __init__(
        self, config: RunConfig, module: nn.Module, device: torch.device, *, terms: Sequence[str]
    ) -> None:
        """Build the balance.

        Args:
            config: The run.
            module: What is trained; its gradients may be asked for.
            device: Where it is.
            terms: All that the project weighs.

        Raises:
            UserError: The balance reads gradients, and every process has but a part of them.
        """
        self.config, self.module = config, module
        self.names = [name for name in terms if name in active_weights(config)]
        self.balance: Balance = build_at("balance", BALANCES, config.balance, names=self.names).to(
            device
        )
        if self._reads("norms", "gradients") and spreads(config.parallel):
            raise UserError(
                f"balance.name={config.balance.name} reads gradients of whole parameters, which "
                "parallel=fsdp spreads over the processes; set parallel=ddp, or balance.name to "
                "uncertainty or famo"
            )
        self._shared = SharedBlock()
        self._losses = torch.empty(0)
        self._factors = torch.empty(0)

    def _reads(self, *what: str) -> bool:
        return self.balance.reads in what

    def scaled(
        self, terms: Mapping[str, Tensor], weights: Mapping[str, float]
    ) -> dict[str, Tensor]:
        """Return each term times its factor.

        Args:
            terms: Over the global batch, with their graphs.
            weights: What the config says of each at this step.
        """
        self.weights = weights
        if self._reads("nothing"):
            return dict(terms)
        with torch.no_grad():
            self._losses = torch.stack([weights[n] * terms[n].float() for n in self.names])
        self._factors = self.balance.factors(self._losses, self._gram(terms, weights))
        factors = dict(zip(self.names, self._factors, strict=True))
        self.weights = {n: w * factors[n] if n in factors else w for n, w in weights.items()}
        return {n: term * factors[n] if n in factors else term for n, term in terms.items()}

    def recorded(self, loss: Tensor) -> Tensor:
        """Return the loss of the last step at the weights of the config, whatever were chosen.

        Args:
            loss: What is descended, at the weights that the balance chose.
        """
        return loss.detach() if self._reads("nothing") else self._losses.sum()

    def _gram(self, terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor | None:
        if not self._reads("gradients"):
            return None
        found = self._shared.gradients(self.module, {name: terms[name] for name in self.names})
        if not found:
            raise UserError(self._nothing_shared())
        rows = torch.stack([weights[name] * found[name].double() for name in self.names])
        return rows @ rows.T

    def _nothing_shared(self) -> str:
        return (
            f"balance.name={self.config.balance.name}: no layer is moved by all of "
            f"{', '.join(self.names)}; set balance.name to uncertainty or famo"
        )

    def before_update(self) -> None:
        """Leave gradients in the balance's own parameters, which the optimizer moves next."""
        cost = self.balance.cost(self._losses) if self._reads("losses") else None
        if cost is not None:
            cost.backward()

    @torch.no_grad()
    def after_update(
        self, step: int, skipped: Tensor, found: Mapping[str, Tensor | float]
    ) -> dict[str, Tensor | float]:
        """Let the balance learn from a step, unless it was left out.

        Args:
            step: Which was made, from 1.
            skipped: Above 0 where it was left out.
            found: What the probes said of it.

        Returns:
            ``weight/<term>``, as the step had it.

        Raises:
            UserError: The balance waits for gradients that nobody can measure.
        """
        before = {name: value.clone() for name, value in self.balance.named_buffers()}
        self.balance.after_update(self._losses, self._norms(step, found))
        for name, value in self.balance.named_buffers():
            value.copy_(torch.where(skipped > 0, before[name], value))
        return {f"weight/{name}": weight for name, weight in self.weights.items()}

    def _norms(self, step: int, found: Mapping[str, Tensor | float]) -> Tensor | None:
        if not self._reads("norms") or not looks_at(self.config.probe_every, step):
            return None
        keys = [f"gradient/norm/{name}" for name in self.names]
        if any(key not in found for key in keys):
            raise UserError(self._nothing_shared())
        norms = torch.stack([torch.as_tensor(found[key]).to(self._losses) for key in keys])
        weights = torch.stack([torch.as_tensor(self.weights[name]) for name in self.names])
        return norms * weights.to(norms)
