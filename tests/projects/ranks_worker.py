"""Loss terms and gradients of each project on this process's part of a global batch, then a run.

`test_ranks` runs it on two processes, and `measure` also on one.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from cinelex.config.load import load_config
from cinelex.core import distributed
from cinelex.projects import open_project
from cinelex.runners.gradients import Gradients
from cinelex.scripts.main import main
from tests.tiny_run import CLIPSE, EQ_CONFIG, LATENT, MULTITASK, PROBING, arguments

GRADIENT_BATCH = 7
"""Not divisible by two: the processes hold 3 and 4 studies."""
CONFIG_OF_PROJECT = {
    "multitask": MULTITASK,
    "eq": EQ_CONFIG,
    "latent": LATENT,
    "clipse": CLIPSE,
    "probing": PROBING,
}
"""The shipped config that each project is run with."""
MICRO_BATCHES = (1, 3)
"""Whole batches, and batches cut into micro-batches."""
PATCH = "loss_weights.patch_contrastive=0.5"
OPTIONAL = (
    *(PATCH, "loss_weights.counterfactual=0.5", "loss_weights.views=0.5"),
    "model.aggregator={name: view_attention, options: {views: 40}}",
)
"""Adds what the multitask project trains only where it is asked, so that all are compared."""
WHOLE = {"probing"}
"""Projects that refuse to be sharded."""
SHARDED = "-sharded"
"""Behind the name of a run whose parameters are spread over the processes."""
BRIEF = ("evaluation.max_new_tokens=4", "evaluation.bootstrap=2", "evaluation.report_examples=0")
"""What makes short what comes after the last step."""
EXTRA: dict[str, tuple[str, ...]] = {
    "multitask": OPTIONAL,
    "probing": ("loss_weights.gated_attention=1", "loss_weights.class_token=1"),
}
"""What each project is measured with beside its config."""
TRAINED = {"multitask": ("masked_modeling={target: latent, ema: 0.9}", "tokenizer.buckets=2")}
"""What each is trained with beside its config: a teacher that follows on all processes, and reports
in groups of like length."""


def measure(
    overrides: Sequence[str], folder: Path, *, config: Path, micro_batches: int = 1
) -> dict[str, Tensor]:
    """Return the unweighted terms of one training batch, and all gradients of their sum.

    Args:
        overrides: What differs from the config.
        folder: Of the run.
        config: A shipped one.
        micro_batches: How many each process cuts its share of the batch into.
    """
    run = load_config(config, list(overrides))
    project = open_project(run, folder)
    module = project.model()
    model = DistributedDataParallel(module) if distributed.world_size() > 1 else module
    batch = next(project.batches(0))
    gradients = Gradients(
        project=project,
        model=model,
        device=torch.device("cpu"),
        bf16=False,
        micro_batches=micro_batches,
    )
    _, terms = gradients.of(batch, project.weights(0), look=lambda terms: None)
    found = {f"term/{name}": term for name, term in terms.items()}
    learning = ((n, p) for n, p in module.named_parameters() if p.requires_grad)
    for name, parameter in learning:
        assert parameter.grad is not None, name
        found[f"gradient/{name}"] = parameter.grad.clone(memory_format=torch.contiguous_format)
    return found


def overrides_of(command: Sequence[str]) -> list[str]:
    """Return the ``key=value`` arguments of a command line."""
    return [item for item in command if "=" in item]


def gradient_command(folder: Path, cache: Path, project: str, *more: str) -> list[str]:
    """Return the command line with which a project is measured."""
    batch, config = f"batch={GRADIENT_BATCH}", CONFIG_OF_PROJECT[project]
    name = f"name={project}-gradients"
    return arguments(folder, cache, name, batch, *EXTRA.get(project, ()), *more, config=config)


def run_all(folder: Path, cache: Path, ports: Iterator[str]) -> None:
    """Measure and train every project on all processes together, replicated and sharded.

    Main leaves the group at its end, so that every run needs a port of its own.
    """
    torch.set_num_threads(1)
    for project, config in CONFIG_OF_PROJECT.items():
        os.environ["MASTER_PORT"] = next(ports)
        distributed.start("cpu", timeout_s=120)
        rank = distributed.rank()
        command = gradient_command(folder, cache, project)
        for micro_batches in MICRO_BATCHES:
            found = measure(
                overrides_of(command),
                folder / f"{project}-gradients",
                config=config,
                micro_batches=micro_batches,
            )
            save_file(found, folder / f"{project}-{micro_batches}-{rank}.safetensors")
        # main joins the group that is there
        assert main(run_command(folder, cache, project)) == 0
        if project in WHOLE:
            continue
        os.environ["MASTER_PORT"] = next(ports)
        assert main(run_command(folder, cache, project, "parallel=fsdp", name=SHARDED)) == 0


def run_command(folder: Path, cache: Path, project: str, *more: str, name: str = "") -> list[str]:
    """Return the command line of a run of two steps."""
    own = (f"name={project}{name}", "steps=2", *BRIEF, *TRAINED.get(project, ()), *more)
    return arguments(folder, cache, *own, config=CONFIG_OF_PROJECT[project])


if __name__ == "__main__":
    run_all(Path(sys.argv[1]), Path(sys.argv[2]), iter(sys.argv[3:]))
