"""Starts a worker for every slot, starts the dead ones again, and tells how the sweep goes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType

from cinelex.core.errors import UserError
from cinelex.core.exit_codes import BAD_INPUT, INTERRUPTED
from cinelex.sweeps.outcomes import Outcome, outcomes
from cinelex.sweeps.queues import AWAY, Queues
from cinelex.sweeps.settings import Sweep
from cinelex.sweeps.slots import Slot

WORKER, AGENT = "cinelex.sweeps.worker", "cinelex.sweeps.wandb_agent"
"""The module of a worker's process, and of a W&B agent's."""
POLL_S = 1.0
MAX_RESTARTS = 20
"""Times that one slot's worker is started again."""


@dataclass
class Crew:
    """The workers of this node."""

    sweep: Sweep
    slots: Sequence[Slot]
    queues: Queues
    tell: Callable[[str], None]
    agents: bool = False
    """Whether the workers are W&B's agents."""
    processes: "dict[int, subprocess.Popen[bytes]]" = field(default_factory=dict)
    restarts: dict[int, int] = field(default_factory=dict)
    asked: bool = False
    told: set[str] = field(default_factory=set)

    def run(self) -> bool:
        """Work until nothing is left; return False if a signal ended it early.

        Raises:
            UserError: A worker refused to work, or died too often.
        """
        before = {
            number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            for slot in self.slots:
                self._start(slot)
            while self.processes:
                time.sleep(POLL_S)
                self._look()
                with suppress(*AWAY):  # nobody has to stop because there is no news
                    self._tell_news()
        finally:
            self._end()
            for number, handler in before.items():
                signal.signal(number, handler)
        return not self.asked

    def _start(self, slot: Slot) -> None:
        log = self._log(slot)
        log.parent.mkdir(parents=True, exist_ok=True)
        told = json.dumps(asdict(slot))
        with log.open("ab") as stream:
            # a session of its own: Ctrl-C reaches this process, which then asks politely
            self.processes[slot.number] = subprocess.Popen(
                slot.command(AGENT if self.agents else WORKER, str(self.sweep.folder), told),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env={**os.environ, **({"OMP_NUM_THREADS": "1"} if slot.cores else {})},
                start_new_session=True,
            )

    def _log(self, slot: Slot) -> Path:
        kind = "agent" if self.agents else "worker"
        return self.sweep.folder / "logs" / f"{kind}-{slot.number}.log"

    def _look(self) -> None:
        """Start what died again."""
        for slot in self.slots:
            process = self.processes.get(slot.number)
            if process is None or process.poll() is None:
                continue
            del self.processes[slot.number]
            if process.returncode in (0, INTERRUPTED) or self.asked:
                continue
            log = self._log(slot)
            if process.returncode == BAD_INPUT:
                raise UserError(f"worker {slot.number}: {log.read_text().splitlines()[-1]}")
            self.restarts[slot.number] = self.restarts.get(slot.number, 0) + 1
            if self.restarts[slot.number] > MAX_RESTARTS:
                raise UserError(
                    f"worker {slot.number} died {MAX_RESTARTS + 1} times, last with "
                    f"{process.returncode}; see {log}, then go on with --resume"
                )
            self.tell(f"worker {slot.number} {_death(process.returncode)} and is started again")
            self._start(slot)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        signal.signal(number, signal.SIG_DFL)

    def _end(self) -> None:
        """Leave no worker behind."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait()
        self.processes.clear()

    def _tell_news(self) -> None:
        for study in self.queues:
            for one in outcomes(study):
                key = f"{study.study_name} {one.ticket} {one.state}"
                if one.state in ("complete", "pruned", "failed") and key not in self.told:
                    self.told.add(key)
                    self.tell(news(one))


def news(one: Outcome) -> str:
    """Return one line on a configuration that has ended."""
    values = ", ".join(f"{key}={json.dumps(value)}" for key, value in one.values.items())
    head = one.label if one.seed is None else f"{one.recipe} on the test studies, seed {one.seed}"
    again = f"; begun {one.tries} times" if one.tries > 1 else ""
    if one.state == "complete":
        scores = ", ".join(f"{name} {score.value:.4g}" for name, score in one.scores.items())
        return f"{head}: {scores} ({values or 'base config'}{again})"
    if one.state == "pruned":
        return f"{head}: ended early after {len(one.curve)} validations ({values}{again})"
    return f"{head}: failed: {one.error} ({values}{again})"


def _death(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"


def write_line(text: str) -> None:
    """Write a line to standard output, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
