"""Who else gets a run's scalars. The JSONL record is the truth; a sink may fail."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

import wandb

from core.console import say
from core.distributed import is_main


@runtime_checkable
class Sink(Protocol):
    """Takes the numbers of a step."""

    def write(self, step: int, numbers: Mapping[str, float]) -> None:
        """Take the numbers of optimizer step ``step``, from 1."""

    def close(self) -> None:
        """Send what is left."""


class WandbSink:
    """Weights & Biases: scalars only, no report, path or study id; offline where not logged in."""

    def __init__(self, *, project: str, name: str, folder: Path) -> None:
        self._run = None
        if not is_main():
            return
        folder.mkdir(parents=True, exist_ok=True)
        online = wandb.api.api_key is not None
        self._run = wandb.init(
            project=project,
            name=name,
            dir=folder,
            mode="online" if online else "offline",
            # the command line names the manifest, so nothing about the process or machine is sent
            settings=wandb.Settings(
                silent=True,
                disable_git=True,
                save_code=False,
                console="off",
                init_timeout=30,
                x_disable_meta=True,
                x_disable_machine_info=True,
                x_save_requirements=False,
            ),
        )
        if not online:
            say(f"W&B is not logged in; to send the scalars later: wandb sync {folder}/wandb/*")

    def write(self, step: int, numbers: Mapping[str, float]) -> None:
        """Send the scalars of one step."""
        if self._run is not None:
            self._run.log(dict(numbers), step=step)

    def close(self) -> None:
        """Finish the run."""
        if self._run is not None:
            self._run.finish()
