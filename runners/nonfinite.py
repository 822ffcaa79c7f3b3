"""What is kept of the first step whose gradient is not finite, so that it can be made again."""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from cinelex.core.console import say
from cinelex.core.distributed import is_main
from cinelex.core.errors import UserError
from cinelex.core.files import read_json, write_json
from cinelex.core.tensors import save_tensors
from cinelex.runners.saver import Saver
from cinelex.runners.snapshot import random_states

FOLDER = "nonfinite"
"""Below a run's folder; one bundle is kept, of the first such step."""
CHECKPOINT, RANDOM, WEIGHTS = "checkpoint", "random.safetensors", "weights.safetensors"


@dataclass(frozen=True, kw_only=True)
class Lost:
    """A step that was left out because its gradient was not finite."""

    step: int
    numbers: Mapping[str, float | None]
    """Its line of the record."""
    samples: Sequence[str]
    """Hashes of the ids of its global batch."""


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """The way back to such a step."""

    path: Path
    lost: Lost
    begins: int
    """Step of the checkpoint that is kept; 0 where the run had none yet."""

    @property
    def random(self) -> dict[str, Tensor]:
        """Return the generators that the run began with, where it had no checkpoint yet."""
        path = self.path / RANDOM
        return load_file(path) if self.begins == 0 and path.exists() else {}


class LostStep:
    """Keeps what makes the first such step again, when it is told of it."""

    def __init__(self, folder: Path, saver: Saver, device: torch.device) -> None:
        """Remember the generators of a run that begins; all ranks do it together.

        Args:
            folder: The run's folder.
            saver: Knows the newest checkpoint.
            device: Of the model.
        """
        self.folder, self.saver = folder, saver
        self.random = {} if saver.last else random_states(device)

    def __call__(self, lost: Lost) -> None:
        """Keep the way back to a step; the main rank does.

        Nothing is saved between a step and the line of the record that tells of it, so that the
        newest checkpoint is before it.
        """
        if is_main():
            self.saver.wait()
            keep(self.folder, lost, checkpoint=self.saver.last, random=self.random)


def keep(
    folder: Path, lost: Lost, *, checkpoint: Path | None, random: Mapping[str, Tensor]
) -> None:
    """Keep a bundle below a run's folder, unless there is one; the main rank does.

    What decides the step is the newest checkpoint before it: every step behind it can be made
    again to the bit. Its files get a second name, so that they stay when it goes.

    Args:
        folder: The run's folder.
        lost: The step.
        checkpoint: The newest before it; None where there is none.
        random: The generators that the run began with.
    """
    home = folder / FOLDER
    if home.exists():
        return
    path = home / f"step-{lost.step}"
    path.mkdir(parents=True)
    if checkpoint is None:
        save_tensors(random, path / RANDOM)
    else:
        shutil.copytree(checkpoint, path / CHECKPOINT, copy_function=_linked)
    begins = 0 if checkpoint is None else int(checkpoint.name.removeprefix("step-"))
    write_json(path / "bundle.json", {"begins": begins, **asdict(lost)})
    say(
        f"the gradient of step {lost.step} is not finite: what makes it again is kept in {path}; "
        "--run_mode repeat says where it begins"
    )


def read_bundle(folder: Path) -> Bundle:
    """Return what was kept below a run's folder.

    Raises:
        UserError: Every gradient of the run was finite.
    """
    found = sorted((folder / FOLDER).glob("step-*/bundle.json"))
    if not found:
        raise UserError(f"{folder}: no step is kept there; all its gradients were finite")
    content: dict[str, Any] = read_json(found[0])
    begins = content.pop("begins")
    return Bundle(path=found[0].parent, lost=Lost(**content), begins=begins)


def _linked(source: str, target: str) -> None:
    """Give a file a second name, or copy it where the disk knows none."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
