"""Loss terms and gradients of a project on this process's part of one global batch.

``python -m cinelex.doctor.live.ranks_worker CONFIG FOLDER`` runs on every process of a group
and leaves ``rank-<n>.safetensors``; `self_tests` compares them with one process.
"""

import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from cinelex.config.load import load_config
from cinelex.core import distributed
from cinelex.core.tensors import save_tensors
from cinelex.projects import open_project
from cinelex.projects.interface.project import Project
from cinelex.runners.gradients import Gradients


def measure(project: Project[Any, Any], *, seed: int, micro_batches: int = 1) -> dict[str, Tensor]:
    """Return ``term/<name>`` and ``gradient/<parameter>`` of the first step, on the CPU.

    Args:
        project: What is trained.
        seed: Of the model's first weights.
        micro_batches: Into how many each process cuts its share of the batch.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = project.model()
        group = distributed.world_size() > 1
        model = DistributedDataParallel(module) if group else module
        batch = next(project.batches(0))
        project.prepare_step(module, 0)
        gradients = Gradients(
            project=project,
            model=model,
            device=torch.device("cpu"),
            bf16=False,
            micro_batches=micro_batches,
        )
        _, terms = gradients.of(batch, project.weights(0), look=lambda _: None)
    found = {f"term/{name}": term.clone() for name, term in terms.items()}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            found[f"gradient/{name}"] = gradient.contiguous().clone()
    return found


def main(arguments: list[str]) -> None:
    """Measure on this rank and leave the file."""
    config = load_config(arguments[0])
    folder = Path(arguments[1])
    torch.set_num_threads(1)
    distributed.start("cpu", timeout_s=120)
    try:
        found = measure(open_project(config, folder / "data"), seed=config.seed)
        save_tensors(found, folder / f"rank-{distributed.rank()}.safetensors")
    finally:
        distributed.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
