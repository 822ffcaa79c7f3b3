"""The look before the first step: at a few samples, on a model of its own, as training runs it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cinelex.core.errors import UserError
from cinelex.core.files import write_json
from cinelex.doctor.live.diagnostics import FEW, fresh_diagnostics, left_as_it_was
from cinelex.doctor.live.watch import Watch
from cinelex.doctor.run_files import DOCTOR
from cinelex.runners.train import Trainer
from tests.runners.line_project import Guess, LineProject, Points, line_config

CPU = torch.device("cpu")


class WatchedLine(LineProject):
    """Remembers how many points a model was run on, in which numbers, and for which model."""

    def __init__(self, *, named: bool = True, memory: int | None = None) -> None:
        super().__init__()
        self.named, self.memory = named, memory
        self.seen: list[int] = []
        self.guessed: list[torch.dtype] = []
        self.checked: list[torch.dtype] = []

    def identities(self, batch: Points) -> Sequence[str]:
        return [str(place) for place in range(len(batch.x))] if self.named else ()

    def outputs(self, model: nn.Module, batch: Points) -> Guess:
        self.seen.append(len(batch.x))
        if self.memory is not None and len(batch.x) > self.memory:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
        found = super().outputs(model, batch)
        self.guessed.append(found.sum.dtype)
        return found

    def losses(self, outputs: Guess, batch: Points) -> Mapping[str, Tensor]:
        return super().losses(Guess(outputs.sum.float()), batch)

    def diagnostics(self, model: nn.Module) -> Mapping[str, Any]:
        found: Tensor = model(torch.ones(1, 3))
        self.checked.append(found.dtype)
        return {"data/studies": 4}


@pytest.mark.slow
def test_a_look_takes_a_few_samples_of_a_batch_that_may_not_fit() -> None:
    project = WatchedLine(memory=FEW)
    diagnostics = fresh_diagnostics(
        project, project.model(), line_config("gradient_accumulation_steps=2"), CPU
    )
    assert project.seen == [FEW]
    assert diagnostics["parameters/unmoved"] == diagnostics["terms/without_gradient"] == []
    assert diagnostics["optimizer/ungrouped"] == diagnostics["optimizer/twice"] == []
    assert diagnostics["data/studies"] == 4


def test_samples_without_names_are_looked_at_all() -> None:
    project = WatchedLine(named=False)
    fresh_diagnostics(project, project.model(), line_config(), CPU)
    assert project.seen == [4]


def test_a_look_in_half_precision_leaves_the_projects_own_checks_exact() -> None:
    project = WatchedLine()
    fresh_diagnostics(project, project.model(), line_config("precision=bf16"), CPU)
    assert project.guessed == [torch.bfloat16]
    assert project.checked == [torch.float32]


def test_a_look_that_does_not_fit_says_what_to_change() -> None:
    project = WatchedLine(memory=FEW - 1)
    module = project.model()
    with pytest.raises(UserError, match=r"out of memory.*activation_checkpointing"):
        fresh_diagnostics(project, module, line_config(), CPU)


def test_the_model_that_was_looked_at_is_the_one_that_trains(tmp_path: Path) -> None:
    project, config = WatchedLine(), line_config()
    module = Watch(config, tmp_path).look(project, CPU)
    assert module is not None
    trainer = Trainer(project, config, folder=tmp_path, device=CPU, provenance={}, module=module)
    trainer.books.close()
    assert trainer.module is module


def test_nothing_is_looked_at_and_nothing_built_where_nobody_asks(tmp_path: Path) -> None:
    project = WatchedLine()
    assert Watch(line_config("examine=false"), tmp_path).look(project, CPU) is None
    assert not project.seen


def test_a_look_leaves_what_modules_remember() -> None:
    module = nn.BatchNorm1d(2)
    with left_as_it_was(module):
        module(torch.randn(8, 2) + 3)
        assert module.get_buffer("running_mean").any()
    assert not module.get_buffer("running_mean").any()


def test_facts_are_gathered_anew_until_there_is_a_checkpoint(tmp_path: Path) -> None:
    write_json(tmp_path / DOCTOR, {"diagnostics": {"data/studies": 3}, "findings": []})
    project = WatchedLine()
    watch = Watch(line_config(), tmp_path)
    watch.look(project, CPU)
    assert watch.diagnostics["data/studies"] == 4
    (tmp_path / "checkpoints" / "step-3").mkdir(parents=True)
    Watch(line_config(), tmp_path).look(project, CPU)
    assert len(project.seen) == 1, "a resumed run recalls them"
