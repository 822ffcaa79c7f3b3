"""What is known of data, model and optimizer before the first step."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from cinelex.config.schema import RunConfig
from cinelex.projects.interface.project import BatchT, Project
from cinelex.runners.hardware import fitting, uses_bf16
from cinelex.runners.optimizer import build_optimizer
from cinelex.runners.parallel import activation_checkpointing, spreads
from cinelex.runners.shared_block import moved_parameters

FEW = 2
"""Samples of each process whose terms are looked at, or one more: a contrast needs another one,
and what a term reaches does not depend on how many there are."""


def fresh_model(project: Project[Any, Any], config: RunConfig, device: torch.device) -> nn.Module:
    """Return a fresh model, ready to train or to be looked at; all ranks call it together.

    Raises:
        UserError: It does not fit into the memory of the device.
    """
    with fitting(config, device):
        module: nn.Module = project.model()
        if not spreads(config.parallel):  # then no device ever holds the whole model
            module.to(device)
        project.ready(module)
    return module


def fresh_diagnostics(
    project: Project[Any, Any], module: nn.Module, config: RunConfig, device: torch.device
) -> dict[str, Any]:
    """Return the project's own diagnostics and what samples say of terms, parameters and groups.

    All ranks call it together, before the model is spread over them: then its parameters are not
    what the gradients reach, and parts of it cannot be called. It is run for its terms as training
    runs it; the project's own checks hold in float32. Its tensors are left as they were.

    Args:
        project: What is trained.
        module: The model that the project has built last.
        config: The run.
        device: Where the model is.

    Raises:
        UserError: The model with a few samples does not fit into the memory of the device.
    """
    if spreads(config.parallel):  # no device ever holds the whole model, nor now
        device = torch.device("cpu")
    with fitting(config, device), left_as_it_was(module):
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


@contextmanager
def left_as_it_was(module: nn.Module) -> Iterator[None]:
    """Bring back what modules remember in buffers, such as losses of the samples that they saw."""
    before = [(buffer, buffer.clone()) for buffer in module.buffers()]
    try:
        yield
    finally:
        for buffer, kept in before:
            buffer.copy_(kept)


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
