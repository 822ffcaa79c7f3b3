"""Checkpoints: a folder that is whole or not there, and that proves it by its hashes."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from core.distributed import barrier, is_main, rank
from core.errors import UserError
from core.files import hash_file, hash_json, read_json, sync_folder, write_json

FORMAT = 1
"""Raised when the layout changes; an older one is refused by number."""


@dataclass(frozen=True)
class Position:
    """Where a run stands, besides its tensors."""

    step: int
    """Optimizer steps made."""
    records: int
    """Bytes of ``metrics.jsonl`` that were written by then."""
    skipped: int
    """Steps that were left out because a gradient was not finite."""


def steps_saved(folder: Path) -> list[int]:
    """Return the steps of the whole checkpoints under ``folder``, oldest first."""
    return sorted(
        int(path.name.removeprefix("step-")) for path in folder.glob("step-*") if path.is_dir()
    )


def save(
    folder: Path,
    *,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    position: Position,
    provenance: Mapping[str, str],
    keep: int,
) -> Path:
    """Save everything that decides the next step; keep the newest ``keep`` checkpoints.

    Every rank calls it: each saves its own random state, the main one the rest.
    """
    target, part = folder / f"step-{position.step}", folder / f".part-{position.step}"
    if is_main():
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
    barrier()
    save_file({"cpu": torch.get_rng_state()}, part / f"random-{rank()}.safetensors")
    barrier()
    if is_main():
        save_file(_contiguous(model.state_dict()), part / "model.safetensors")
        save_file(_optimizer_tensors(optimizer), part / "optimizer.safetensors")
        _seal(part, position, provenance)
        if target.exists():
            shutil.rmtree(target)
        part.rename(target)
        sync_folder(folder)
        for step in steps_saved(folder)[:-keep]:
            shutil.rmtree(folder / f"step-{step}")
    barrier()
    return target


def _seal(part: Path, position: Position, provenance: Mapping[str, str]) -> None:
    for path in part.iterdir():
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    state = {
        "format": FORMAT,
        "position": vars(position),
        "provenance": dict(provenance),
        "files": {path.name: hash_file(path) for path in sorted(part.iterdir())},
    }
    write_json(part / "state.json", state)


def newest(folder: Path) -> Path | None:
    """Return the newest checkpoint under ``folder`` and remove what a crash left half-written."""
    if is_main():
        for leftover in folder.glob(".part-*"):
            shutil.rmtree(leftover)
    barrier()
    steps = steps_saved(folder)
    return folder / f"step-{steps[-1]}" if steps else None


def verify(path: Path) -> Mapping[str, Any]:
    """Return the state of the checkpoint ``path`` after checking every hash in it.

    Raises:
        UserError: A file is missing or changed, or the format is another.
    """
    try:
        state: dict[str, Any] = read_json(path / "state.json")
    except (OSError, ValueError) as problem:
        raise UserError(f"{path}: no readable state.json ({type(problem).__name__})") from None
    if state["format"] != FORMAT:
        raise UserError(f"{path}: checkpoint format {state['format']}, this code reads {FORMAT}")
    for name, expected in state["files"].items():
        if not (path / name).is_file() or hash_file(path / name) != expected:
            raise UserError(f"{path / name}: damaged (its hash differs); remove {path} to go on")
    return state


def restore(
    path: Path, *, model: nn.Module, optimizer: torch.optim.Optimizer | None = None
) -> tuple[Position, Mapping[str, str]]:
    """Load the checkpoint ``path``; with an optimizer also its state and the random state.

    Raises:
        UserError: Damaged, or made by a model of other parameters.
    """
    state = verify(path)
    _load_model(path, model)
    if optimizer is not None:
        _load_optimizer(optimizer, load_file(path / "optimizer.safetensors"))
        mine = path / f"random-{rank()}.safetensors"
        if mine.exists():
            torch.set_rng_state(load_file(mine)["cpu"])
    return Position(**state["position"]), state["provenance"]


def fingerprint(path: Path) -> str:
    """Return the hash of the model's weights in the checkpoint ``path``."""
    return hash_json({"model": verify(path)["files"]["model.safetensors"]})


def _load_model(path: Path, model: nn.Module) -> None:
    tensors, own = load_file(path / "model.safetensors"), model.state_dict()
    differing = sorted(
        name
        for name in tensors.keys() | own.keys()
        if name not in own or name not in tensors or own[name].shape != tensors[name].shape
    )
    if differing:
        raise UserError(
            f"{path}: {len(differing)} tensors differ from the configured model, "
            f"first {differing[0]!r}; use the config.yaml beside the checkpoint"
        )
    model.load_state_dict(tensors)


def _contiguous(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    return {
        f"{number}.{name}": value.detach().cpu()
        for number, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
    }


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        number, name = key.split(".", 1)
        state.setdefault(int(number), {})[name] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
