"""Run modes that need a trained model: validate, and those that its project has."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch

from cinelex.config.load import config_hash
from cinelex.core import checkpoint
from cinelex.core.checkpoint import Checkpoint
from cinelex.core.console import say
from cinelex.core.distributed import is_main
from cinelex.core.errors import UserError
from cinelex.core.files import write_json
from cinelex.core.names import covered
from cinelex.core.provenance import code_hash
from cinelex.core.weights import load_weights
from cinelex.projects.interface.project import ModelT, Project, Request, RunMode
from cinelex.projects.interface.results import Results
from cinelex.runners.finished import Finished
from cinelex.runners.lending import lent
from cinelex.runners.parallel import spreads
from cinelex.runners.run_folder import register


def checkpoint_of(
    finished: Finished, *, which: Literal["auto", "newest", "best"] = "auto"
) -> Checkpoint:
    """Return the checkpoint to use of a run.

    Raises:
        UserError: There is none, or it is damaged.
    """
    folder = finished.folder.checkpoints
    found = checkpoint.newest(folder, strict=True)
    if found is None:
        raise UserError(f"{folder}: no checkpoint yet; train the run first")
    kept = found.position.best_step is not None
    if which == "best" or (which == "auto" and kept):
        found = checkpoint.best(found)
        say(f"using the best checkpoint, from step {found.position.step}")
    return found


def load_trained(
    project: Project[Any, ModelT], finished: Finished, found: Checkpoint, device: torch.device
) -> tuple[ModelT, dict[str, str]]:
    """Build the project's model and give it a checkpoint's weights.

    Returns:
        The module in evaluation mode, and the hashes of config, data, code and checkpoint as they
        are now.

    Raises:
        UserError: The checkpoint belongs to another model, or the studies are others than those of
            the training and no label was given.
    """
    hashes = {
        "config": config_hash(finished.config),
        "data": project.data_hash(),
        "code": code_hash(),
        "checkpoint": found.fingerprint,
    }
    _refuse_other_studies(found, finished, hashes)
    model = project.model()
    load_weights(found, model)
    model.eval()
    if spreads(finished.config.parallel):  # then it may not fit as a whole
        lent(model, device)
    else:
        model.to(device)
    project.ready(model)
    return model, hashes


def _refuse_other_studies(found: Checkpoint, finished: Finished, hashes: Mapping[str, str]) -> None:
    trained = found.state["provenance"].get("data")
    allowed = finished.label is not None or covered("data", finished.config.resume_skip)
    if trained not in (None, hashes["data"]) and not allowed:
        raise UserError(
            f"{finished.folder.path}: the studies have changed since it was trained; bring the "
            "manifest and the videos back, or add --label NAME to have the results apart"
        )


def evaluate(project: Project[Any, Any], finished: Finished, device: torch.device) -> Results:
    """Measure everything on the test studies, write ``results.json`` and register the run.

    Results under a label are no results of the run: they say so, and are not registered.
    """
    found = checkpoint_of(finished, which=finished.config.evaluation.checkpoint)
    model, provenance = load_trained(project, finished, found, device)
    say("evaluating on the test studies")
    results = project.evaluate(model, finished.output)
    if is_main():
        content = {
            **replace(results, provenance=provenance).as_json(),
            "trained_with": dict(found.state["provenance"]),
        }
        if finished.label is not None:
            content |= {"label": finished.label, "differs": list(finished.differing)}
        write_json(finished.output / "results.json", content)
    if finished.label is None:
        register(finished.config, provenance)
    return results


def use(
    project: Project[Any, Any],
    mode: RunMode,
    finished: Finished,
    device: torch.device,
    *,
    words: Sequence[str],
    steps: int,
) -> Path:
    """Use the trained model as a further run mode of its project does; return what was written.

    Raises:
        UserError: There is no trained model, or the mode cannot use its arguments.
    """
    found = checkpoint_of(finished)
    model, provenance = load_trained(project, finished, found, device)
    asked = Request(folder=finished.output, provenance=provenance, words=words, steps=steps)
    return mode.run(project, model, asked)
