"""What is known of data, model and optimizer before the first step."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from cinelex.config.schema import RunConfig
from cinelex.core.errors import UserError
from cinelex.projects.interface.project import BatchT, Project
from cinelex.runners.hardware import out_of_memory, uses_bf16
from cinelex.runners.optimizer import build_optimizer
from cinelex.runners.parallel import activation_checkpointing, spreads
from cinelex.runners.shared_block import moved_parameters

FEW = 2
"""Samples of each process whose terms are looked at, or one more: a contrast needs another one,
and what a term reaches does not depend on how many there are."""


def fresh_diagnostics(
    project: Project[Any, Any], config: RunConfig, device: torch.device
) -> dict[str, Any]:
    """Return the project's own diagnostics and what samples say of terms, parameters and groups.

    Of a model built for this look alone, whole on every process; all ranks call it together. The
    model that trains may be spread over the ranks: then its parameters are not what the gradients
    reach, and parts of it cannot be called. A project knows the model that it has built last, so
    that the one that trains has to be built after this. It is run for its terms as training runs
    it; the project's own checks hold in float32.

    Raises:
        UserError: The model with a few samples does not fit into the memory of the device.
    """
    if spreads(config.parallel):  # no device ever holds the whole model, nor now
        device = torch.device("cpu")
    try:
        module = project.model().to(device)
        project.ready(module)
        if config.activation_checkpointing:
            activation_checkpointing(module)
        optimizer = build_optimizer(module, config.optimizer)
        module.eval()
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            batch = few_samples(project, next(project.batches(0))).to(device)
            bf16 = uses_bf16(config, device)
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                terms = project.terms(module, batch)
            moved = moved_parameters(module, terms)
            # their graph holds memory that the project's checks may need
            del terms
            return {
                **project.diagnostics(module),
                **group_diagnostics(module, optimizer),
                **_reached(module, moved),
            }
    except torch.OutOfMemoryError:
        raise UserError(out_of_memory(config, device)) from None


def few_samples(project: Project[BatchT, Any], batch: BatchT) -> BatchT:
    """Return the first samples of a batch on the CPU; all where the project does not name them.

    A batch can be far larger than what fits into the memory of a device at once.
    """
    parts = len(project.identities(batch)) // FEW
    return batch.split(parts)[0] if parts > 1 else batch


def group_diagnostics(module: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, list[str]]:
    """Return the trainable parameters that are in no group, and those in two."""
    grouped = [id(weight) for group in optimizer.param_groups for weight in group["params"]]
    trainable = [(name, id(p)) for name, p in module.named_parameters() if p.requires_grad]
    return {
        "optimizer/ungrouped": [name for name, key in trainable if key not in grouped],
        "optimizer/twice": [name for name, key in trainable if grouped.count(key) > 1],
    }


def _reached(module: nn.Module, moved: Mapping[str, set[str]]) -> dict[str, Any]:
    """Return the terms without a gradient, what no term reaches, and which terms reach what."""
    reached, towers = set().union(*moved.values()), defaultdict[str, set[str]](set)
    for term, names in moved.items():
        for name in names:
            towers[name.partition(".")[0]].add(term)
    trainable = [name for name, value in module.named_parameters() if value.requires_grad]
    return {
        "towers/terms": {tower: sorted(terms) for tower, terms in sorted(towers.items())},
        "terms/without_gradient": [term for term, names in moved.items() if not names],
        "parameters/unmoved": [name for name in trainable if name not in reached],
    }
