"""Latents as targets: a run that is cut short ends as one that is not, and what is refused."""

import shutil
from pathlib import Path

import pytest
import torch

from cinelex.config.load import load_config
from cinelex.core import checkpoint
from cinelex.core.errors import UserError
from cinelex.models.latent_teacher import LATENT_TEACHER
from cinelex.projects import open_project
from cinelex.runners.train import Trainer
from tests.projects.ranks_worker import overrides_of
from tests.runners.line_project import PROVENANCE
from tests.tiny_run import MULTITASK, arguments, rows

LATENT = ("masked_modeling={target: latent, ema: 0.9, visible: true}", "loss_weights.captioning=0")


def trained(folder: Path, cache: Path) -> Path:
    """Train for four steps, or go on to them, without looking at held-out studies."""
    brief = ("steps=4", "validate_every=0", "loss_weights.facts=0", "name=run")
    command = arguments(folder, cache, *brief, *LATENT)
    config = load_config(MULTITASK, overrides_of(command))
    run = folder / "run"
    project = open_project(config, run)
    cpu = torch.device("cpu")
    assert Trainer(project, config, folder=run, device=cpu, provenance=PROVENANCE).run()
    return run


def test_a_run_that_is_cut_short_ends_as_one_that_is_not(study_cache: Path, tmp_path: Path) -> None:
    run = trained(tmp_path, study_cache)
    whole = checkpoint.read(run / "checkpoints" / "step-4", "model")
    shutil.rmtree(run / "checkpoints" / "step-4")
    trained(tmp_path, study_cache)
    again = checkpoint.read(run / "checkpoints" / "step-4", "model")
    assert whole.keys() == again.keys()
    assert all(torch.equal(tensor, again[name]) for name, tensor in whole.items())
    prefix = f"companions.{LATENT_TEACHER}.encoder."
    teacher = {name.removeprefix(prefix) for name in whole if name.startswith(prefix)}
    assert teacher == {n.removeprefix("video_encoder.") for n in whole if n.startswith("video_")}
    distances = [row["teacher/distance"] for row in rows(run) if row["kind"] == "step"]
    assert distances[0] == 0, "the teacher begins at the student"
    assert min(distances[1:4]) > 0


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("{target: latent, ema: 1.5}", "ema must be between 0 and 1, got 1.5"),
        ("{target: latent, ema: {start: 0.9, end: 2}}", "ema must be between 0 and 1"),
        ("{visible: true}", "visible needs target: latent"),
    ],
)
def test_what_means_nothing_is_refused(wrong: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        load_config(MULTITASK, [f"masked_modeling={wrong}"])
