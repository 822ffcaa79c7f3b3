"""Four promises of a project, tried on its own data.

Two processes are one, micro-batches are the whole batch, losses do not suffer from bf16, and a
resumed run is one that went on.

Each takes a few steps of the configured model, so they belong to ``--run_mode doctor``.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from cinelex.config.load import dump_config
from cinelex.config.schema import RunConfig
from cinelex.core.files import write_whole
from cinelex.core.processes import run_on_processes
from cinelex.doctor.live.ranks_worker import measure
from cinelex.losses.weighted_sum import WeightedSum
from cinelex.projects.interface.project import BatchT, Project
from cinelex.runners.stacking import tensors_of, with_tensors
from cinelex.runners.train import Trainer

MIN_SCALE = 1e-3
"""Share of the longest gradient below which a gradient's error is no longer relative to itself:
some gradients are 0 in exact arithmetic."""
WORKER = "cinelex.doctor.live.ranks_worker"
"""The module that each of two processes runs."""


def rank_diagnostics(project: Project[Any, Any], config: RunConfig) -> dict[str, float]:
    """Return how far terms and gradients of two processes are from those of one, relatively."""
    alone = measure(project, seed=config.seed)
    with TemporaryDirectory() as folder:
        place = Path(folder)
        # the resolved config names the same caches, so nothing is decoded again
        write_whole(place / "config.yaml", dump_config(config))
        run_on_processes(WORKER, str(place / "config.yaml"), folder, world=2, timeout_s=600.0)
        both = [load_file(place / f"rank-{rank}.safetensors") for rank in (0, 1)]
    return {f"ranks/{kind}": error for kind, error in compare(alone, both).items()}


def micro_batch_diagnostics(project: Project[Any, Any], config: RunConfig) -> dict[str, float]:
    """Return how far terms and gradients of a batch cut in two are from those of the whole."""
    whole, cut = (measure(project, seed=config.seed, micro_batches=count) for count in (1, 2))
    return {f"micro_batches/{kind}": error for kind, error in compare(whole, [cut]).items()}


def bf16_diagnostics(project: Project[Any, Any], config: RunConfig) -> dict[str, float]:
    """Return how far the losses, and their gradients at what the model puts out, are from exact.

    Taken as a run in bf16 takes them, on the outputs of a float32 model, against float64.
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(config.seed)
        module = project.model()
        batch = next(project.batches(0))
        project.prepare_step(module, 0)
        outputs = project.outputs(module, batch)
    exact, rounded = (_losses_at(project, outputs, batch, bf16=bf16) for bf16 in (False, True))
    return {f"bf16/{kind}": error for kind, error in compare(exact, [rounded]).items()}


def _losses_at(
    project: Project[BatchT, Any], outputs: Any, batch: BatchT, *, bf16: bool
) -> dict[str, Tensor]:
    """Return ``term/<name>`` and ``gradient/<index>`` at outputs, in bf16 or in float64."""
    dtype = torch.float32 if bf16 else torch.float64
    given = [
        t.to(dtype).requires_grad_() if t is not None and t.is_floating_point() else t
        for t in tensors_of(outputs)
    ]
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        terms = project.losses(with_tensors(outputs, iter(given)), batch)
    WeightedSum(project.weights(0))(terms).backward()
    gradients = enumerate(t.grad for t in given if t is not None and t.requires_grad)
    return {f"term/{name}": term.detach() for name, term in terms.items()} | {
        f"gradient/{index}": gradient for index, gradient in gradients if gradient is not None
    }


def compare(alone: dict[str, Tensor], both: list[dict[str, Tensor]]) -> dict[str, float]:
    """Return the greatest relative ``term_error`` and ``gradient_error``."""
    longest = max(float(v.norm()) for name, v in alone.items() if name.startswith("gradient/"))
    errors = {"term": 0.0, "gradient": 0.0}
    for found in both:
        for name, expected in alone.items():
            kind = name.partition("/")[0]
            least = MIN_SCALE * longest if kind == "gradient" else 1e-12
            error = float((found[name] - expected).norm()) / max(float(expected.norm()), least)
            errors[kind] = max(errors[kind], error)
    return {f"{kind}_error": error for kind, error in errors.items()}


def resume_diagnostics(
    project: Project[Any, Any], config: RunConfig, device: torch.device
) -> dict[str, float]:
    """Return how far a second step after saving and loading is from one without.

    The distance of the weights, as a share of the way that the two steps went.
    """
    with TemporaryDirectory() as folder, torch.random.fork_rng():
        torch.manual_seed(config.seed)
        straight = _trainer(project, config, Path(folder) / "straight", device)
        start = _weights(straight.module)
        batches = project.batches(0)
        straight.update(next(batches))
        straight.save()
        straight.saver.wait()
        straight.update(next(batches))
        resumed = _trainer(project, config, Path(folder) / "straight", device)
        resumed.update(next(project.batches(resumed.step)))
        end = _weights(straight.module)
        apart = float((_weights(resumed.module) - end).norm())
        for trainer in (straight, resumed):
            trainer.books.record.close()
    return {"resume/difference": apart / max(float((end - start).norm()), 1e-12)}


def _trainer(
    project: Project[Any, Any], config: RunConfig, folder: Path, device: torch.device
) -> Trainer[Any]:
    trainer = Trainer(project, config, folder=folder, device=device, provenance={})
    trainer.model.train()
    return trainer


def _weights(module: nn.Module) -> Tensor:
    return torch.cat([value.detach().cpu().double().flatten() for value in module.parameters()])
