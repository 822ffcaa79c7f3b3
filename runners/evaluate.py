"""Run modes that need a trained model: validate, inference, embed, generate, morph."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from cinelex.config.schema import RunConfig
from cinelex.core.console import say
from cinelex.core.distributed import is_main
from cinelex.core.errors import UserError
from cinelex.core.files import write_json
from cinelex.projects.base import Project
from cinelex.runners import checkpoint
from cinelex.runners.run_folder import RunFolder, register
from cinelex.runners.weights import load_weights


def load_trained(
    project: Project[Any],
    folder: RunFolder,
    device: torch.device,
    *,
    which: Literal["newest", "best"] = "newest",
) -> tuple[nn.Module, dict[str, str]]:
    """Build the project's model and give it a checkpoint's weights.

    Returns:
        The module in evaluation mode, and the hashes of the config and the code that trained it,
        of the checkpoint, and of the studies that are read now.

    Raises:
        UserError: There is no checkpoint, it is damaged, or it belongs to another model.
    """
    found = checkpoint.newest(folder.checkpoints, strict=True)
    if found is None:
        raise UserError(f"{folder.checkpoints}: no checkpoint yet; train the run first")
    if which == "best":
        found = checkpoint.best(found)
    model = project.model()
    load_weights(found, model)
    hashes = {"data": project.data_hash(), "checkpoint": found.fingerprint}
    return model.to(device).eval(), {**found.state["provenance"], **hashes}


def evaluate(
    project: Project[Any], config: RunConfig, folder: RunFolder, device: torch.device
) -> Mapping[str, Any]:
    """Measure everything on the test studies, write ``results.json`` and register the run."""
    which = config.evaluation.checkpoint
    model, provenance = load_trained(project, folder, device, which=which)
    say("evaluating on the test studies")
    results = {**project.evaluate(model, folder.path), "provenance": provenance}
    if is_main():
        write_json(folder.path / "results.json", results)
    register(config, provenance)
    return results


def infer(project: Project[Any], folder: RunFolder, device: torch.device) -> Path:
    """Describe the test studies without looking at any report of theirs."""
    model, _ = load_trained(project, folder, device)
    return project.infer(model, folder.path)


def embed(project: Project[Any], folder: RunFolder, device: torch.device) -> Path:
    """Write the embeddings of all studies."""
    model, provenance = load_trained(project, folder, device)
    return project.embed(model, folder.path, provenance=provenance)


def generate(
    project: Project[Any], folder: RunFolder, device: torch.device, words: Sequence[str]
) -> Path:
    """Make what the words describe.

    Raises:
        UserError: There is no word, or the project cannot.
    """
    if not words:
        raise UserError("--run_mode generate needs at least one word: what to make")
    model, _ = load_trained(project, folder, device)
    return project.generate(model, folder.path, words)


def morph(
    project: Project[Any],
    folder: RunFolder,
    device: torch.device,
    ends: Sequence[str],
    *,
    steps: int,
) -> Path:
    """Make what lies between two things.

    Raises:
        UserError: There are not two ends, there are too few steps for them, or the project cannot.
    """
    if len(ends) != 2:
        raise UserError(f"--run_mode morph needs two words, from and to, got {len(ends)}")
    if steps < 2:
        raise UserError(f"--steps must be at least 2, the two ends, got {steps}")
    model, _ = load_trained(project, folder, device)
    return project.morph(model, folder.path, ends, steps=steps)
