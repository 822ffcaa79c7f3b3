"""AdamW over parameter groups, in which every trainable parameter stands exactly once."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from cinelex.config.schedule import learning_rate
from cinelex.config.schema import OptimizerConfig

SCALARS_OF_PAIRS = ("temperature.log_temperature", "bias")
"""Scalars of the contrastive loss: their own learning rate, and no decay."""


@dataclass(frozen=True)
class Group:
    """Parameters that share a learning rate and a weight decay."""

    name: str
    names: tuple[str, ...]
    """Names in the model, in its order."""
    weight_decay: float
    """Share of the weight that is taken off per unit of learning rate."""
    rate_factor: float
    """Multiplies the scheduled learning rate."""


def parameter_groups(model: nn.Module, config: OptimizerConfig) -> list[Group]:
    """Sort the trainable parameters into matrices, vectors and the scalars of the loss.

    Matrices decay; gains, biases, positions and single numbers do not.
    """
    matrices, vectors, scalars = [], [], []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        if name in SCALARS_OF_PAIRS:
            scalars.append(name)
        elif parameter.ndim >= 2 and "position" not in name:
            matrices.append(name)
        else:
            vectors.append(name)
    groups = [
        Group("matrices", tuple(matrices), config.weight_decay, 1.0),
        Group("vectors", tuple(vectors), 0.0, 1.0),
    ]
    if scalars:  # a sweep over a rate that nothing has is refused, because nobody reads it
        scalar_factor = config.temperature_learning_rate / config.learning_rate
        groups.append(Group("temperature", tuple(scalars), 0.0, scalar_factor))
    return [group for group in groups if group.names]


def check_groups(model: nn.Module, groups: Iterable[Group]) -> None:
    """Refuse groups that miss a trainable parameter or hold one twice.

    Raises:
        ValueError: Names the parameters.
    """
    trainable = {name for name, weight in model.named_parameters() if weight.requires_grad}
    grouped = [name for group in groups for name in group.names]
    missing, twice = trainable - set(grouped), {name for name in grouped if grouped.count(name) > 1}
    unknown = set(grouped) - trainable
    if missing or twice or unknown:
        raise ValueError(
            f"optimizer groups: missing {sorted(missing)}, twice {sorted(twice)}, "
            f"not trainable {sorted(unknown)}"
        )


def build_optimizer(model: nn.Module, config: OptimizerConfig) -> torch.optim.AdamW:
    """Make the optimizer over the trainable parameters of ``model``.

    Source: Loshchilov & Hutter 2017, arXiv:1711.05101.
    """
    groups = parameter_groups(model, config)
    check_groups(model, groups)
    parameters = dict(model.named_parameters())
    return torch.optim.AdamW(
        [
            {
                "params": [parameters[name] for name in group.names],
                "weight_decay": group.weight_decay,
                "rate_factor": group.rate_factor,
            }
            for group in groups
        ],
        lr=config.learning_rate,
        betas=config.betas,
        eps=config.eps,
        fused=True,
    )


def set_learning_rate(
    optimizer: torch.optim.Optimizer, config: OptimizerConfig, *, step: int, steps: int
) -> float:
    """Give every group its rate for optimizer step ``step``, from 0, and return the common one."""
    rate = learning_rate(config, step=step, steps=steps)
    for group in optimizer.param_groups:
        group["lr"] = rate * group["rate_factor"]
    return rate
