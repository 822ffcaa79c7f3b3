"""A checkpoint as its reader finds it: a folder that is whole or not there, and proves it."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from cinelex.core.console import say
from cinelex.core.distributed import broadcast_json, is_main
from cinelex.core.errors import UserError
from cinelex.core.files import hash_file, hash_json, read_json
from cinelex.core.shards import BEGINNING, is_sharded, read_shards

FORMAT = 2
"""Raised when the layout changes; an older one is refused by number."""
RECORD = "metrics.jsonl"
"""The record of a run, in its folder."""


@dataclass(frozen=True)
class Position:
    """Where a run stands, besides its tensors."""

    step: int
    """Optimizer steps made; it decides schedules, the order of the samples and every keyed draw."""
    records: int
    """Bytes of ``metrics.jsonl`` that were written by then."""
    skipped: int
    """Steps that were left out because a gradient was not finite."""
    best: float | None = None
    """The best validation so far, by the number that the config names."""
    best_step: int | None = None
    """The step of that validation."""


_POSITION = {field.name for field in fields(Position)}


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint whose hashes held when it was opened; nobody hashes it again."""

    path: Path
    state: Mapping[str, Any]
    """Its ``state.json``: position, provenance, notes, processes, and the hash of every file."""

    @property
    def position(self) -> Position:
        """Return where the run stood."""
        return Position(**self.state["position"])

    @property
    def fingerprint(self) -> str:
        """Return the hash of the model's weights; of all that was saved where it lies in parts."""
        names = ("model.safetensors", "ema.safetensors", "frozen.safetensors")
        files = self.state["files"]
        if shards := {name: files[name] for name in files if name.startswith(BEGINNING)}:
            return hash_json(shards)
        return hash_json({name.split(".")[0]: files[name] for name in names if name in files})


def has_begun(folder: Path) -> bool:
    """Return whether a run's folder holds a record or a checkpoint.

    Before the first of them nothing that lies there binds whoever starts in it.
    """
    record = folder / RECORD
    recorded = record.exists() and record.stat().st_size > 0
    return recorded or bool(steps_saved(folder / "checkpoints"))


def steps_saved(folder: Path) -> list[int]:
    """Return the steps of the whole checkpoints under ``folder``, oldest first."""
    names = (path.name.removeprefix("step-") for path in folder.glob("step-*") if path.is_dir())
    return sorted(int(name) for name in names if name.isdecimal())


def newest(folder: Path, *, strict: bool = False) -> Checkpoint | None:
    """Return the newest checkpoint whose hashes hold, on all ranks; None where there is none.

    The main rank chooses it, and every rank hashes the files that it is going to read, once.

    Args:
        folder: Where the checkpoints are.
        strict: Refuse a damaged checkpoint instead of going back to an older one.

    Raises:
        UserError: There are checkpoints and all are damaged, or one is and ``strict`` is set.
    """
    found: Checkpoint | str | None = None
    if is_main():
        found = _newest(folder, strict=strict)
    path, problem = broadcast_json(
        [str(found.path), ""] if isinstance(found, Checkpoint) else ["", found or ""]
    )
    if problem:
        raise UserError(problem)
    return found if isinstance(found, Checkpoint) else verify(Path(path)) if path else None


def _newest(folder: Path, *, strict: bool) -> Checkpoint | str | None:
    """Return the checkpoint, None where there is none, or what is wrong with all there are."""
    steps = steps_saved(folder)
    problems = []
    for step in reversed(steps):
        try:
            return verify(folder / f"step-{step}")
        except UserError as problem:
            problems.append(str(problem))
            if strict:
                break
            say(f"warning: {problem}; going back to the checkpoint before it")
    if not problems:
        return None
    remedy = f"; remove step-{steps[-1]} to use the one before it" if strict else ""
    return f"no checkpoint can be used: {problems[0]}{remedy}"


def best(known: Checkpoint) -> Checkpoint:
    """Return the best checkpoint, as another one of the same run knows it.

    Raises:
        UserError: The run kept none.
    """
    step = known.position.best_step
    if step is None:
        raise UserError(f"{known.path}: the run kept no best checkpoint; set keep_best= and train")
    path = known.path.with_name(f"step-{step}")
    return known if path == known.path else verify(path)


def note(folder: Path, name: str) -> str | None:
    """Return what the newest checkpoint under ``folder`` notes under ``name``, if anything.

    Only its notes are read; whoever goes on from it checks its tensors.
    """
    for step in reversed(steps_saved(folder)):
        with suppress(UserError):
            found: str | None = _state(folder / f"step-{step}")["notes"].get(name)
            return found
    return None


def verify(path: Path) -> Checkpoint:
    """Return the checkpoint ``path`` after checking every hash in it.

    Raises:
        UserError: A file is missing or changed, or the format is another.
    """
    state = _state(path)
    for name, expected in state["files"].items():
        if not (path / name).is_file() or hash_file(path / name) != expected:
            raise UserError(f"{path / name}: damaged (its hash differs)")
    return Checkpoint(path, state)


def _state(path: Path) -> Mapping[str, Any]:
    try:
        state = read_json(path / "state.json")
    except (OSError, ValueError) as problem:
        raise UserError(f"{path}: no readable state.json ({type(problem).__name__})") from None
    found = state.get("format") if isinstance(state, Mapping) else None
    if found != FORMAT:
        raise UserError(
            f"{path}: checkpoint format {found}, this code reads {FORMAT}; use the version of "
            "cinelex that wrote it"
        )
    kinds = {"position": Mapping, "files": Mapping, "notes": Mapping, "provenance": Mapping}
    lacking = [key for key, kind in kinds.items() if not isinstance(state.get(key), kind)]
    if lacking or state["position"].keys() != _POSITION or "processes" not in state:
        raise UserError(f"{path / 'state.json'}: damaged ({', '.join(lacking) or 'position'})")
    return dict(state)


def read(path: Path, name: str) -> dict[str, Tensor]:
    """Return the tensors of one file of the checkpoint ``path``; none where it is not there.

    Raises:
        UserError: It is no safetensors file, for instance a pickle. It is not unpickled.
    """
    file = path / f"{name}.safetensors"
    if not file.exists():
        return read_shards(path, name) if is_sharded(path) else {}
    try:
        return load_file(file)
    except SafetensorError as problem:
        raise UserError(f"{file}: not a safetensors file ({problem})") from None
