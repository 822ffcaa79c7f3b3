"""Run modes that need a trained model: validate, and those that its project has."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch

from cinelex.config.schema import RunConfig
from cinelex.core.console import say
from cinelex.core.distributed import is_main
from cinelex.core.errors import UserError
from cinelex.core.files import write_json
from cinelex.projects.interface.project import ModelT, Project, Request, RunMode
from cinelex.projects.interface.results import Results
from cinelex.runners import checkpoint
from cinelex.runners.run_folder import RunFolder, register
from cinelex.runners.weights import load_weights


def load_trained(
    project: Project[Any, ModelT],
    folder: RunFolder,
    device: torch.device,
    *,
    which: Literal["newest", "best"] = "newest",
) -> tuple[ModelT, dict[str, str]]:
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
    project: Project[Any, Any], config: RunConfig, folder: RunFolder, device: torch.device
) -> Results:
    """Measure everything on the test studies, write ``results.json`` and register the run."""
    which = config.evaluation.checkpoint
    model, provenance = load_trained(project, folder, device, which=which)
    say("evaluating on the test studies")
    results = project.evaluate(model, folder.path)
    if is_main():
        content = {**results.as_json(), "provenance": provenance}
        write_json(folder.path / "results.json", content)
    register(config, provenance)
    return results


def use(
    project: Project[Any, Any],
    mode: RunMode,
    folder: RunFolder,
    device: torch.device,
    *,
    words: Sequence[str],
    steps: int,
) -> Path:
    """Use the trained model as a further run mode of its project does; return what was written.

    Raises:
        UserError: There is no trained model, or the mode cannot use its arguments.
    """
    model, provenance = load_trained(project, folder, device)
    asked = Request(folder=folder.path, provenance=provenance, words=words, steps=steps)
    return mode.run(project, model, asked)
