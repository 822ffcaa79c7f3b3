"""The smallest project: a line through points, with steps that can be spoiled."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import torch
from torch import Tensor, nn

from cinelex.config.load import load_config
from cinelex.config.schema import RunConfig
from cinelex.core.randomness import generator
from cinelex.projects.interface.project import Project
from cinelex.projects.interface.results import Results
from cinelex.projects.interface.terms import TermNulls
from cinelex.runners.train import Trainer
from tests.tiny_run import CONFIGS, rows

PROVENANCE = {"config": "c", "data": "d", "code": "e"}


@dataclass(frozen=True)
class Points:
    """Points of one step."""

    x: Tensor

    def to(self, device: torch.device) -> "Points":
        return Points(self.x.to(device))

    def split(self, parts: int) -> "list[Points]":
        return [Points(x) for x in self.x.tensor_split(parts)]


@dataclass(frozen=True)
class Guess:
    """What the line says about points."""

    sum: Tensor


class LineProject(Project[Points, nn.Module]):
    """Learn the sum of three numbers; the chosen steps, from 0, hold a NaN."""

    def __init__(
        self, spoiled: frozenset[int] = frozenset(), at_step: Callable[[int], None] | None = None
    ) -> None:
        self.spoiled, self.at_step = spoiled, at_step

    def model(self) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return nn.Linear(3, 1)

    def batches(self, start_step: int) -> Iterator[Points]:
        for step in count(start_step):
            if self.at_step is not None:
                self.at_step(step)
            x = torch.randn(4, 3, generator=generator("points", step))
            if step in self.spoiled:
                x[0, 0] = torch.nan
            yield Points(x)

    def outputs(self, model: nn.Module, batch: Points) -> Guess:
        return Guess(model(batch.x))

    def losses(self, outputs: Guess, batch: Points) -> Mapping[str, Tensor]:
        error = outputs.sum - batch.x.sum(1, keepdim=True)
        self.largest = error.detach().abs().max()
        return {"contrastive": error.square().mean()}

    def statistics(self) -> Mapping[str, Tensor | float]:
        return {"largest_error": self.largest}

    def weights(self, step: int) -> Mapping[str, float]:
        return {"contrastive": 1.0}

    def prepare_step(self, model: nn.Module, step: int) -> Mapping[str, Tensor | float]:
        return {"temperature": 0.1}

    def nulls(self, batch: Points) -> Mapping[str, TermNulls]:
        return {"contrastive": TermNulls(chance=3.0)}

    def validate(self, model: nn.Module) -> Mapping[str, float]:
        assert not model.training
        return {"weight": next(model.parameters()).sum().item()}

    def evaluate(self, model: nn.Module, folder: Path) -> Results:
        raise NotImplementedError

    def data_hash(self) -> str:
        return "d"


def line_config(*overrides: str) -> RunConfig:
    """Return the base config at 8 steps, with overrides."""
    chosen = {"steps": "8", "optimizer.warmup_steps": "1", "device": "cpu"}
    chosen |= {"validate_every": "4", "checkpoint_every": "3", "log_every": "2"}
    chosen |= dict(item.split("=", 1) for item in overrides)
    return load_config(
        CONFIGS / "base_config.yaml", [f"{key}={value}" for key, value in chosen.items()]
    )


def trainer(
    folder: Path, project: LineProject | None = None, config: RunConfig | None = None
) -> Trainer[Points]:
    """Return a trainer of the line in ``folder``."""
    return Trainer(
        project or LineProject(),
        config or line_config(),
        folder=folder,
        device=torch.device("cpu"),
        provenance=PROVENANCE,
    )


def steps(folder: Path) -> list[int]:
    """Return the steps that a run has recorded."""
    return [row["step"] for row in rows(folder) if row["kind"] == "step"]
