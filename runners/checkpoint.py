"""Checkpoints: a folder that is whole or not there, and that proves it by its hashes."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from cinelex.core.console import say
from cinelex.core.distributed import broadcast_json, is_main
from cinelex.core.errors import UserError
from cinelex.core.files import (
    hash_file,
    hash_json,
    read_json,
    sync_folder,
    write_json,
)
from cinelex.core.names import covered
from cinelex.runners.snapshot import Position, Snapshot

FORMAT = 2
"""Raised when the layout changes; an older one is refused by number."""
PART, DAMAGED = ".part-", ".damaged-"
"""What the names of unfinished checkpoints, and of those put aside, begin with."""


def steps_saved(folder: Path) -> list[int]:
    """Return the steps of the whole checkpoints under ``folder``, oldest first."""
    return sorted(
        int(path.name.removeprefix("step-")) for path in folder.glob("step-*") if path.is_dir()
    )


def write(folder: Path, snapshot: Snapshot, *, keep: int) -> Path:
    """Write a snapshot below ``folder``; keep the newest ``keep`` checkpoints and the best.

    A crash at any moment leaves the older ones as they are, and this one whole or not there:
    files first, then what proves them, then the name.

    Raises:
        OSError: The disk refused; the part that was written is removed.
    """
    step = snapshot.position.step
    target, part = folder / f"step-{step}", folder / f"{PART}{step}"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        for name, tensors in snapshot.tensors.items():
            save_file(dict(tensors), part / f"{name}.safetensors")
        _seal(part, snapshot)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    if target.exists():
        shutil.rmtree(target)
    part.rename(target)
    sync_folder(folder)
    for old in steps_saved(folder)[:-keep]:
        if old != snapshot.position.best_step:
            shutil.rmtree(folder / f"step-{old}")
    return target


def _seal(part: Path, snapshot: Snapshot) -> None:
    for path in part.iterdir():
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    state = {
        "format": FORMAT,
        "position": vars(snapshot.position),
        "provenance": dict(snapshot.provenance),
        "notes": dict(snapshot.notes),
        "processes": snapshot.processes,
        "files": {path.name: hash_file(path) for path in sorted(part.iterdir())},
    }
    write_json(part / "state.json", state)


def remove_leftovers(folder: Path) -> None:
    """Remove what a crash left half-written. Only for the one run that writes to ``folder``."""
    if is_main():
        for leftover in folder.glob(f"{PART}*"):
            shutil.rmtree(leftover)


def newest(folder: Path, *, strict: bool = False) -> Path | None:
    """Return the newest checkpoint whose hashes hold, on all ranks; None where there is none.

    Args:
        folder: Where the checkpoints are.
        strict: Refuse a damaged checkpoint instead of going back to an older one.

    Raises:
        UserError: There are checkpoints and all are damaged, or one is and ``strict`` is set.
    """
    found: dict[str, str] = {}
    if is_main():
        found = _newest(folder, strict=strict)
    found = broadcast_json(found)
    if "error" in found:
        raise UserError(found["error"])
    return Path(found["path"]) if "path" in found else None


def _newest(folder: Path, *, strict: bool) -> dict[str, str]:
    steps = steps_saved(folder)
    problems = []
    for step in reversed(steps):
        try:
            verify(folder / f"step-{step}")
        except UserError as problem:
            problems.append(str(problem))
            if strict:
                break
            say(f"warning: {problem}; going back to the checkpoint before it")
        else:
            return {"path": str(folder / f"step-{step}")}
    if not problems:
        return {}
    remedy = f"; remove step-{steps[-1]} to use the one before it" if strict else ""
    return {"error": f"no checkpoint can be used: {problems[0]}{remedy}"}


def best(path: Path) -> Path:
    """Return the best checkpoint, as the checkpoint ``path`` of the same run knows it.

    Raises:
        UserError: The run kept none.
    """
    step = position_of(verify(path)).best_step
    if step is None:
        raise UserError(f"{path}: the run kept no best checkpoint; set keep_best= and train")
    return path.with_name(f"step-{step}")


def note(folder: Path, name: str) -> str | None:
    """Return what the newest checkpoint under ``folder`` notes under ``name``, if anything."""
    found = newest(folder)
    return None if found is None else verify(found)["notes"].get(name)


def put_aside_newer(folder: Path, path: Path) -> None:
    """Rename the checkpoints that are newer than ``path``: they are damaged, and not deleted."""
    chosen = int(path.name.removeprefix("step-"))
    if is_main():
        for step in steps_saved(folder):
            aside = folder / f"{DAMAGED}{step}"
            if step > chosen:
                shutil.rmtree(aside, ignore_errors=True)
                (folder / f"step-{step}").rename(aside)


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
            raise UserError(f"{path / name}: damaged (its hash differs)")
    return state


def read(path: Path, name: str) -> dict[str, Tensor]:
    """Return the tensors of one file of the checkpoint ``path``; none where it is not there.

    Raises:
        UserError: It is no safetensors file, for instance a pickle. It is not unpickled.
    """
    file = path / f"{name}.safetensors"
    if not file.exists():
        return {}
    try:
        return load_file(file)
    except SafetensorError as problem:
        raise UserError(f"{file}: not a safetensors file ({problem})") from None


def position_of(state: Mapping[str, Any]) -> Position:
    """Return where the run of a checkpoint's state stood."""
    return Position(**state["position"])


def load_weights(path: Path, model: nn.Module) -> Mapping[str, Any]:
    """Give ``model`` the weights to use, averaged ones where the run kept an average.

    Returns:
        The state of the checkpoint.

    Raises:
        UserError: Damaged, or made by a model of other parameters.
    """
    state = verify(path)
    tensors = {**read(path, "model"), **read(path, "ema")}
    check_names(path, tensors, model.state_dict())
    model.load_state_dict(tensors)
    return state


def fingerprint(path: Path) -> str:
    """Return the hash of the model's weights in the checkpoint ``path``."""
    files = verify(path)["files"]
    return hash_json(
        {
            name: files[f"{name}.safetensors"]
            for name in ("model", "ema")
            if f"{name}.safetensors" in files
        }
    )


def check_names(
    path: Path,
    tensors: Mapping[str, Tensor],
    own: Mapping[str, Tensor],
    *,
    skip: Sequence[str] = (),
) -> list[str]:
    """Refuse weights that are not those of a model.

    Args:
        path: The checkpoint.
        tensors: What it holds.
        own: What the model has.
        skip: Parameters, or modules of parameters, that may differ.

    Returns:
        The names that differ as ``skip`` allows.

    Raises:
        UserError: Names the first few that differ, and how.
    """
    names = sorted(tensors.keys() | own.keys())
    differing = [name for name in names if _shape(tensors, name) != _shape(own, name)]
    refused = [name for name in differing if not covered(name, skip)]
    if refused:
        first = [
            f"{name!r} ({_shape(tensors, name)} saved, {_shape(own, name)} configured)"
            for name in refused[:3]
        ]
        raise UserError(
            f"{path}: {len(refused)} tensors differ from the configured model, "
            f"first {', '.join(first)}; use the config.yaml beside the checkpoint, or name what "
            "may begin anew in resume_skip"
        )
    return differing


def _shape(tensors: Mapping[str, Tensor], name: str) -> str:
    return "x".join(map(str, tensors[name].shape)) or "number" if name in tensors else "absent"
