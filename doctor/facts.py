"""What is known of data, model and optimizer before the first step."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from doctor.probes.gradients import moved_parameters
from projects.base import Project


def starting_facts(
    project: Project[Any], module: nn.Module, optimizer: torch.optim.Optimizer
) -> dict[str, Any]:
    """Return the project's own facts and what one batch says of terms, parameters and groups.

    Weights, moments and random states stay as they are; the module is looked at in evaluation
    mode, so that no running statistic moves either.
    """
    device = next(module.parameters()).device
    training = module.training
    module.eval()
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            batch = next(project.batches(0)).to(device)
            moved = moved_parameters(module, project.terms(module, batch))
            return {
                **project.facts(module),
                **_grouped(module, optimizer),
                **_reached(module, moved),
            }
    finally:
        module.train(training)


def _grouped(module: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, list[str]]:
    """Return the trainable parameters that are in no group, and those in two."""
    grouped = [id(weight) for group in optimizer.param_groups for weight in group["params"]]
    trainable = [(name, id(p)) for name, p in module.named_parameters() if p.requires_grad]
    return {
        "optimizer/ungrouped": [name for name, key in trainable if key not in grouped],
        "optimizer/twice": [name for name, key in trainable if grouped.count(key) > 1],
    }


def _reached(module: nn.Module, moved: Mapping[str, set[str]]) -> dict[str, Any]:
    """Return the terms without a gradient, what no term reaches, and which terms reach what."""
    reached = set().union(*moved.values())
    parts = sorted({name.partition(".")[0] for name in reached})
    return {
        "parts/terms": {
            part: sorted(
                term
                for term, names in moved.items()
                if any(name.partition(".")[0] == part for name in names)
            )
            for part in parts
        },
        "terms/without_gradient": [term for term, names in moved.items() if not names],
        "parameters/unmoved": [
            name
            for name, parameter in module.named_parameters()
            if parameter.requires_grad and name not in reached
        ],
    }
