"""Who else gets a run's scalars. The JSONL record is the truth; a sink may fail."""

import queue
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from cinelex.core.console import say
from cinelex.core.distributed import is_main


@runtime_checkable
class Sink(Protocol):
    """Takes the numbers of a step."""

    def write(self, step: int, numbers: Mapping[str, float]) -> None:
        """Take the numbers of optimizer step ``step``, from 1."""

    def close(self) -> None:
        """Send what is left."""


class WandbSink:
    """Weights & Biases: scalars only, no report, path or study id; offline where not logged in.

    A thread talks to it, and training never waits for that thread: what does not fit into its
    queue is dropped and counted. Whatever W&B does, its folder has what it was given, and the one
    warning names the command that sends it later.
    """

    QUEUED = 10_000
    """Steps that wait for W&B at most."""

    def __init__(
        self, *, project: str, name: str, folder: Path, run_id: str, patience_s: float = 45.0
    ) -> None:
        """Begin or go on with a run at W&B.

        Args:
            project: At W&B.
            name: Of the run.
            folder: Where ``wandb/`` is made.
            run_id: The same for a run that goes on.
            patience_s: Seconds that the end of the run waits for W&B.
        """
        self.project, self.name, self.folder, self.run_id = project, name, folder, run_id
        self.patience_s, self.dropped = patience_s, 0
        self._problem: str | None = None
        self._sent = self._online = False
        self._steps: queue.Queue[Callable[[Any], None] | None] = queue.Queue(self.QUEUED)
        self._thread: threading.Thread | None = None
        if is_main():
            import wandb  # here, because it takes seconds

            folder.mkdir(parents=True, exist_ok=True)
            self._online = wandb.api.api_key is not None
            self._thread = threading.Thread(target=self._talk, name="wandb", daemon=True)
            self._thread.start()

    def write(self, step: int, numbers: Mapping[str, float]) -> None:
        """Send the scalars of one step, some time."""
        kept = dict(numbers)
        self._put(lambda run: run.log(kept, step=step))

    def alert(self, title: str, text: str) -> None:
        """Have W&B tell whoever follows the run, some time."""
        self._put(lambda run: run.alert(title=title, text=text))

    def _put(self, say_it: Callable[[Any], None]) -> None:
        if self._thread is None:
            return
        try:
            self._steps.put_nowait(say_it)
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Wait for W&B, but not for long."""
        if self._thread is None:
            return
        try:
            self._steps.put(None, timeout=self.patience_s / 10)
        except queue.Full:
            self.dropped += 1
        self._thread.join(self.patience_s)
        if self._thread.is_alive():
            self._problem = f"no answer within {self.patience_s:g} s"
        if self.dropped or not self._sent:
            say(
                f"warning: W&B has not got everything ({self._problem or 'it failed'}; "
                f"{self.dropped} steps dropped); {self._how_to_send()}"
            )
        self._thread = None

    def _how_to_send(self) -> str:
        return f"to send the scalars later: wandb sync {self.folder}/wandb/*run-*"

    def _talk(self) -> None:
        import wandb

        try:
            run = wandb.init(
                project=self.project,
                name=self.name,
                id=self.run_id,
                resume="allow" if self._online else None,
                dir=self.folder,
                mode="online" if self._online else "offline",
                settings=wandb.Settings(**SETTINGS),
            )
            if not self._online:
                say(f"W&B is not logged in; {self._how_to_send()}")
            while (say_it := self._steps.get()) is not None:
                say_it(run)
            run.finish()
            self._sent = True
        except (wandb.Error, OSError, ValueError) as problem:
            # one line is enough; the rest of the run goes into the record alone
            self._problem = type(problem).__name__


SETTINGS: dict[str, Any] = {
    # the command line names the manifest, so nothing about the process or machine is sent
    "silent": True,
    "disable_git": True,
    "save_code": False,
    "console": "off",
    "init_timeout": 30,
    "x_disable_meta": True,
    "x_disable_machine_info": True,
    "x_save_requirements": False,
}
