"""A whole step of each project asks the device for nothing: a GPU is never waited for."""

from collections import Counter
from pathlib import Path

import pytest
import torch

from cinelex.config.load import load_config
from cinelex.projects import PROJECTS, open_project
from cinelex.runners.train import Trainer
from tests.projects.ranks_worker import CONFIG_OF_PROJECT, PATCH, overrides_of
from tests.runners.line_project import PROVENANCE
from tests.tiny_run import FinishedRun, arguments
from tests.waits import Waits

CASES = {
    **{name: (name, ()) for name in PROJECTS},
    "patches, tokens, a class token and parts": (
        "multitask",
        (
            PATCH,
            "gradient_accumulation_steps=2",
            "model.aggregate=tokens",
            "model.clip_pooling=mean",
            "model.aggregator={name: class_token}",
        ),
    ),
    "SigLIP, a learned temperature and moved clips": (
        "multitask",
        (
            "contrastive={name: siglip}",
            "learn_temperature=true",
            "data.augmentation={crop: 0.1, brightness: 0.1}",
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_an_update_waits_for_nothing(
    finished_run: FinishedRun,
    study_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    case: str,
) -> None:
    assert finished_run.path.exists(), "the studies were made by it"
    name, more = CASES[case]
    base = CONFIG_OF_PROJECT[name]
    command = arguments(tmp_path, study_cache, "name=run", *more, config=base)
    config = load_config(base, overrides_of(command))
    project = open_project(config, tmp_path / "run")
    trainer = Trainer(
        project,
        config,
        folder=tmp_path / "run",
        device=torch.device("cpu"),
        provenance=PROVENANCE,
    )
    trainer.books.record.close()
    batches = project.batches(0)
    trainer.update(next(batches))
    batch = next(batches)
    # they are asked about a batch that is still on the CPU
    nulls, counts = project.nulls(batch), project.counts(batch)
    monkeypatch.setattr(project, "nulls", lambda _: nulls)
    monkeypatch.setattr(project, "counts", lambda _: counts)
    with Waits() as waits:
        trainer.update(batch)
    assert waits.found == Counter()
