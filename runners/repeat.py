"""The first step whose gradient was not finite, made again, and where it begins."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from cinelex.config.schema import RunConfig
from cinelex.core.distributed import broadcast_json, is_main
from cinelex.core.files import hash_json
from cinelex.core.sharding import whole
from cinelex.core.tensors import save_tensors
from cinelex.projects.interface.project import Project
from cinelex.runners.nonfinite import CHECKPOINT, RANDOM, WEIGHTS, Bundle
from cinelex.runners.record import finite_or_none
from cinelex.runners.snapshot import random_states, restore_random_state
from cinelex.runners.stacking import tensors_of
from cinelex.runners.train import Trainer


def repeat(
    project: Project[Any, Any], config: RunConfig, bundle: Bundle, device: torch.device
) -> list[str]:
    """Make the steps from the kept checkpoint again, and say what is not finite, in lines.

    Weights and generators right before the step are left in the bundle. Nothing of the run is
    changed. All ranks call it together.
    """
    with TemporaryDirectory() as elsewhere:
        place = Path(broadcast_json(elsewhere))
        if is_main() and bundle.begins:
            (place / "checkpoints").mkdir()
            kept = place / "checkpoints" / f"step-{bundle.begins}"
            kept.symlink_to((bundle.path / CHECKPOINT).resolve())
        trainer = Trainer(project, config, folder=place, device=device, provenance={})
        with closing(trainer.books):
            restore_random_state(bundle.random, device)
            trainer.model.train()
            for batch in project.batches(trainer.step):
                if trainer.step + 1 == bundle.lost.step:
                    return _made_again(trainer, batch, bundle)
                trainer.update(batch)
    raise AssertionError("batches have no end")


def _made_again(trainer: Trainer[Any], batch: Any, bundle: Bundle) -> list[str]:
    lost, weights = bundle.lost, trainer.module.state_dict()
    kept = {name: whole(value.detach()).cpu().clone() for name, value in weights.items()}
    random = random_states(trainer.device)
    if is_main():
        save_tensors(kept, bundle.path / WEIGHTS)
        save_tensors(random, bundle.path / RANDOM)
    with _outputs_of(trainer.module) as first:
        numbers = finite_or_none(trainer.update(batch).numbers())
    lines = [
        f"step {lost.step} made again, {lost.step - bundle.begins} steps behind "
        + (f"the checkpoint of step {bundle.begins}" if bundle.begins else "the fresh model"),
        _compared(lost.numbers, numbers),
    ]
    terms = [name for name, value in numbers.items() if name.startswith("loss/") and value is None]
    bad = [name for name, value in weights.items() if not _finite(value)]
    lines += [f"terms that are not finite: {', '.join(terms) or 'none, their gradients alone'}"]
    lines += [f"weights that are not finite before the step: {_some(bad)}"] if bad else []
    lines += [f"the first part whose output is not finite: {first[0]}"] if first else []
    gradients = {n: p.grad for n, p in trainer.module.named_parameters() if p.grad is not None}
    lost_in = [name for name, gradient in gradients.items() if not _finite(gradient)]
    lines.append(f"gradients that are not finite: {_some(lost_in)} of {len(gradients)}")
    lines += _samples(trainer, batch)
    return [*lines, f"weights and random state right before it: {bundle.path}"]


def _compared(before: Mapping[str, float | None], now: Mapping[str, float | None]) -> str:
    """Return whether the step is the one of the record."""
    asked = [
        name
        for name in before
        if name in now and name.startswith(("loss", "grad_norm", "skipped", "weight/", "chance/"))
    ]
    differing = [name for name in asked if before[name] != now[name]]
    if not differing:
        return f"equal to the record to the last bit: {len(asked)} numbers"
    if now["grad_norm"] is not None:
        return (
            "this time its gradient is finite: neither samples nor weights bring it about; look "
            "at the machine, and whether its kernels repeat themselves"
        )
    return f"other numbers than in the record: {_some(differing)} of {len(asked)}"


@torch.no_grad()
def _samples(trainer: Trainer[Any], batch: Any) -> list[str]:
    """Return which samples of this process bring it about alone."""
    names = [hash_json(one)[:16] for one in trainer.project.identities(batch)]
    if len(names) < 2:
        return []
    parts = batch.to(trainer.device).split(len(names))
    found = []
    for name, part in zip(names, parts, strict=True):
        outputs = trainer.project.outputs(trainer.module, part)
        if not all(_finite(one) for one in tensors_of(outputs) if one is not None):
            found.append(name)
    told = f"samples whose outputs are not finite by themselves: {len(found)} of {len(names)}"
    return [told + (f", by the hashes of their ids {_some(found)}" if found else "")]


@contextmanager
def _outputs_of(module: nn.Module) -> Iterator[list[str]]:
    """Return a list that gets the first parts whose output is not finite, in their order."""
    first: list[str] = []

    def look(name: str) -> Any:
        def seen(_: nn.Module, given: Any, output: Any) -> None:
            if isinstance(output, Tensor) and not _finite(output):
                sound = all(_finite(one) for one in given if isinstance(one, Tensor))
                first.append(f"{name} ({'its input is finite' if sound else 'nor is its input'})")

        return seen

    handles = [
        part.register_forward_hook(look(name)) for name, part in module.named_modules() if name
    ]
    try:
        yield first
    finally:
        for handle in handles:
            handle.remove()


def _finite(value: Tensor) -> bool:
    return bool(torch.isfinite(whole(value)).all()) if value.is_floating_point() else True


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return (", ".join(names[:3]) + more) if names else "none"
