"""Loss terms and gradients of each project on this process's part of a global batch, then a run.

`test_ranks` runs it on two processes, and `measure` also on one.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from config.load import load_config
from core import distributed
from losses.weighted_sum import WeightedSum
from projects import PROJECTS, open_project
from scripts.main import main
from tests.tiny_run import MULTITASK, arguments

GRADIENT_BATCH = 7
"""Not divisible by two: the processes hold 3 and 4 studies."""
CONFIG_OF_PROJECT = {"multitask_pretraining": MULTITASK}
"""The shipped config that each project is run with."""
PATCH = "patch_contrastive_weight=0.5"
"""Adds the fourth term, so that all are compared."""


def measure(overrides: Sequence[str], folder: Path, *, config: Path) -> dict[str, Tensor]:
    """Return the unweighted terms of one training batch, and all gradients of their sum."""
    run = load_config(config, list(overrides))
    project = open_project(run, folder)
    module = project.model()
    model = DistributedDataParallel(module) if distributed.world_size() > 1 else module
    batch = next(project.batches(0))
    terms = project.terms(model, batch)
    WeightedSum(project.weights(0))(terms).backward()
    found = {f"term/{name}": term.detach() for name, term in terms.items()}
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name
        found[f"gradient/{name}"] = parameter.grad.clone()
    return found


def overrides_of(command: Sequence[str]) -> list[str]:
    """Return the ``key=value`` arguments of a command line."""
    return [item for item in command if "=" in item]


def run_all(folder: Path, cache: Path) -> None:
    """Measure and train every project on all processes together."""
    torch.set_num_threads(1)
    for project in PROJECTS:
        config = CONFIG_OF_PROJECT[project]
        distributed.start("cpu", timeout_s=120)
        rank = distributed.rank()
        command = arguments(
            folder, cache, f"name={project}-gradients", f"batch={GRADIENT_BATCH}", PATCH
        )
        found = measure(overrides_of(command), folder / f"{project}-gradients", config=config)
        save_file(found, folder / f"{project}-{rank}.safetensors")
        # main joins the same group, and leaves it at its end
        command = arguments(folder, cache, f"name={project}", "steps=2", config=config)
        assert main(command) == 0


if __name__ == "__main__":
    assert len(PROJECTS) == 1, "after main has left the group, a second project needs a new port"
    run_all(Path(sys.argv[1]), Path(sys.argv[2]))
