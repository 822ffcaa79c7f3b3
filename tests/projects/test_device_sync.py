"""A step of each project is where its model is, and asks the device for nothing.

So that a GPU is never waited for; without one, tensors that only have a shape stand on it.
"""

from collections import Counter
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from cinelex.config.load import load_config
from cinelex.config.schema import RunConfig
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


@pytest.fixture
def cache(study_cache: Path, finished_run: FinishedRun) -> Path:
    """Where the studies are, made by a run."""
    assert finished_run.path.exists()
    return study_cache


def opened(case: str, cache: Path, folder: Path) -> tuple[RunConfig, Any]:
    """Return the config and the project of a case."""
    name, more = CASES[case]
    base = CONFIG_OF_PROJECT[name]
    command = arguments(folder, cache, "name=run", *more, config=base)
    config = load_config(base, overrides_of(command))
    return config, open_project(config, folder / "run")


@pytest.mark.parametrize("case", CASES)
def test_an_update_waits_for_nothing(
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    case: str,
) -> None:
    config, project = opened(case, cache, tmp_path)
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


@pytest.mark.parametrize("case", CASES)
def test_a_forward_pass_is_where_the_model_is(cache: Path, tmp_path: Path, case: str) -> None:
    _, project = opened(case, cache, tmp_path)
    model, batch = project.model(), next(project.batches(0))
    project.ready(model)
    project.prepare_step(model.train(), 0)
    tensors = {
        field.name: value
        for field in fields(batch)
        if isinstance(value := getattr(batch, field.name), Tensor)
    }
    # what is neither of the model nor of the batch stays on the CPU, and is refused beside these
    with FakeTensorMode(allow_non_fake_inputs=True):
        for module in model.modules():
            module._parameters |= {name: on_gpu(one) for name, one in module._parameters.items()}
            module._buffers |= {name: on_gpu(one) for name, one in module._buffers.items()}
        there = replace(batch, **{name: on_gpu(one) for name, one in tensors.items()})
        terms = project.losses(project.outputs(model, there), there)
        assert {term.device.type for term in terms.values()} == {"cuda"}


def on_gpu(tensor: Tensor | None) -> Tensor | None:
    """Return a tensor of that shape and kind on a GPU, within the mode without numbers."""
    if tensor is None:
        return None
    there = torch.empty(tensor.shape, dtype=tensor.dtype, device="cuda")
    needs = tensor.requires_grad
    return nn.Parameter(there, requires_grad=needs) if isinstance(tensor, nn.Parameter) else there
