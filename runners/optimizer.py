"""The optimizer over the parameter groups of a model, and its learning rates."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from cinelex.config.optimizer_schema import OptimizerConfig
from cinelex.config.schedule import learning_rate
from cinelex.losses.balance import Balance
from cinelex.runners.groups import check_groups, parameter_groups
from cinelex.runners.muon import Muon


class MuonAndAdamW(torch.optim.Optimizer):
    """Muon for some matrices and AdamW for the rest, as one optimizer."""

    found_inf: torch.Tensor | None = None
    """Above 0 where a step is to leave everything as it is."""

    def __init__(
        self, muon: Sequence[dict[str, Any]], adamw: Sequence[dict[str, Any]], **options: Any
    ) -> None:
        """Make both.

        Args:
            muon: Groups of matrices.
            adamw: The other groups.
            options: Of AdamW; the learning rate is that of both.
        """
        self._both: list[torch.optim.Optimizer] = [
            Muon(muon, lr=options["lr"]),
            torch.optim.AdamW(adamw, **options),
        ]
        super().__init__([group for one in self._both for group in one.param_groups], {})
        self._join()

    def _join(self) -> None:
        """Let the two work on the groups and on the state that this one has."""
        begin = 0
        for one in self._both:
            end = begin + len(one.param_groups)
            one.param_groups, one.state = self.param_groups[begin:end], self.state
            begin = end

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what a checkpoint has."""
        super().load_state_dict(state_dict)
        self._join()

    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move everything, unless the step is to be left out."""
        for one in self._both:
            one.found_inf = self.found_inf  # type: ignore[attr-defined]
            one.step()


def build_optimizer(
    model: nn.Module, config: OptimizerConfig, balance: Balance | None = None
) -> torch.optim.Optimizer:
    """Make the optimizer over the trainable parameters of ``model``, and behind them a balance's.

    Source: Loshchilov & Hutter 2017, arXiv:1711.05101.
    """
    groups = parameter_groups(model, config)
    check_groups(model, groups)
    parameters = dict(model.named_parameters())
    muon, adamw = (
        [
            {
                "params": [parameters[name] for name in group.names],
                "weight_decay": group.weight_decay,
                "rate_factor": group.rate_factor,
                "begin": group.begin,
            }
            for group in groups
            if group.muon == wanted
        ]
        for wanted in (True, False)
    )
    own = [] if balance is None else list(balance.parameters())
    if balance is not None and own:
        # Adam as it usually is, at one rate all along: the losses set the pace, not the schedule
        plain = {"weight_decay": 0.0, "betas": (0.9, 0.999), "eps": 1e-8, "begin": 0}
        adamw.append({"params": own, **plain, "rate": balance.learning_rate})
    options: dict[str, Any] = {
        "lr": config.learning_rate,
        "betas": config.betas,
        "eps": config.eps,
        "fused": True,
    }
    if muon:
        return MuonAndAdamW(muon, adamw, **options)
    return torch.optim.AdamW(adamw, **options)


def set_learning_rate(
    optimizer: torch.optim.Optimizer, config: OptimizerConfig, *, step: int, steps: int
) -> float:
    """Give every group its rate for optimizer step ``step``, from 0, and return the common one."""
    rate = learning_rate(config, step=step, steps=steps)
    for group in optimizer.param_groups:
        group["lr"] = group["rate"] if "rate" in group else rate * group["rate_factor"]
    return rate


def drop_early_gradients(optimizer: torch.optim.Optimizer, *, step: int) -> None:
    """Forget the gradients of what does not move yet at optimizer step ``step``, from 0.

    Without one neither weights nor moments change, and clipping does not count it.
    """
    for group in optimizer.param_groups:
        if step < group["begin"]:
            for weight in group["params"]:
                weight.grad = None
