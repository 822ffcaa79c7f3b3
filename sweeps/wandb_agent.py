"""One of W&B's agents, in its slot: asks the server for values, and trains with them.

The agent is W&B's own, in the form that calls a function of ours. The function knows one program,
and gives it values that were checked against the sweep file.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import wandb
from optuna.trial import TrialState, create_trial
from pydantic import JsonValue

from cinelex.config.strict_yaml import read_yaml
from cinelex.core.errors import UserError
from cinelex.core.exit_codes import BAD_INPUT, LOST_PEER
from cinelex.core.files import hash_json
from cinelex.sweeps.names import own_name
from cinelex.sweeps.queues import HEARTBEAT_S, Queues, Storage, StorageError
from cinelex.sweeps.scores import mean_scores, measured
from cinelex.sweeps.settings import Sweep
from cinelex.sweeps.slots import Slot, read_arguments
from cinelex.sweeps.task import Task
from cinelex.sweeps.tickets import ERROR, TICKET, WORKER, tries_of
from cinelex.sweeps.training import TrialError, record_hash, train
from cinelex.sweeps.turns import turn
from cinelex.sweeps.wandb_backend import RUN_ID, check_chosen, open_sweep
from cinelex.sweeps.worker import open_patiently, take_from_the_dead

PREFIX = "wandb-"
"""What the folder of a run begins with whose values the server chose."""
MAX_FAILED = 3
"""Runs that fail one after another before W&B's agent gives up, which it does without a word."""


@dataclass
class Agent:
    """Trains with what the server chooses."""

    sweep: Sweep
    slot: Slot
    queues: Queues
    name: str
    """What no other living worker is called."""
    failed: int = 0
    """Runs that failed since one ended well."""

    def run_one(self) -> None:
        """Train once, with the values and under the run id that W&B's agent left behind.

        Raises:
            UserError: The server chose what the sweep file does not allow.
            TrialError: The run failed; the agent tells the server.
        """
        self.failed += 1
        run_id = os.environ["WANDB_RUN_ID"]
        if not RUN_ID.fullmatch(run_id):
            raise UserError("the server sent something that is no run's id; nothing was run")
        chosen = read_yaml(Path(os.environ["WANDB_SWEEP_PARAM_PATH"]), dotted_keys=True).data
        values = check_chosen(self.sweep.plan, unwrapped(chosen))
        self._train(int(hash_json(run_id)[:6], 16), self._task(f"{PREFIX}{run_id}", values))
        self.failed = 0

    def _task(self, name: str, values: Mapping[str, JsonValue]) -> Task:
        return Task(name, values, self.sweep.base.seed, use_wandb=True)

    def _train(self, ticket: int, task: Task) -> None:
        """Run a task to its end, in sight of all nodes: the final runs wait for it."""
        trial = self._enter(ticket, task)
        begun = time.monotonic()
        try:
            with alive(self.queues.storage, trial):
                # what was stopped by somebody else has saved, and goes on
                while self._run(task) == "stopped":
                    pass
                self._keep(trial, task, seconds=round(time.monotonic() - begun, 1))
        except TrialError as error:
            self.queues.storage.set_trial_user_attr(trial, ERROR, str(error))
            raise
        finally:
            self._end(trial, TrialState.FAIL)

    def _run(self, task: Task) -> str:
        return train(
            self.sweep, task, self.slot, watch=lambda row: False, asked_to_stop=lambda: False
        )

    def _enter(self, ticket: int, task: Task) -> int:
        """Enter a run that begins among the configurations; return its trial's id."""
        told = {
            TICKET: ticket,
            WORKER: self.name,
            "recipe": "search",
            "values": dict(task.values),
            "runs": [task.name],
        }
        search = self.queues.search
        search.add_trial(create_trial(state=TrialState.RUNNING, user_attrs=told))
        place = self.queues.storage.get_study_id_from_name(search.study_name)
        number = tries_of(search)[ticket][-1].number
        return self.queues.storage.get_trial_id_from_study_id_trial_number(place, number)

    def _keep(self, trial: int, task: Task, *, seconds: float | None) -> None:
        """Note what came out of a run."""
        scores = mean_scores(self.sweep, [measured(self.sweep, task)])
        told = {
            "scores": {name: asdict(score) for name, score in scores.items()},
            "seconds": seconds,
            "record": record_hash(self.sweep.trials / task.name),
        }
        for key, value in told.items():
            self.queues.storage.set_trial_user_attr(trial, key, value)
        self._end(trial, TrialState.COMPLETE, [score.value for score in scores.values()])

    def _end(self, trial: int, state: TrialState, values: Sequence[float] | None = None) -> None:
        number = self.queues.storage.get_trial(trial).number
        told = None if values is None else list(values)
        self.queues.search.tell(number, told, state=state, skip_if_finished=True)

    def keep_forgotten(self) -> None:
        """Enter the runs whose agent was killed after they had ended, and before it said so."""
        take_from_the_dead(self.sweep, self.queues, self.name)
        with turn(self.sweep):
            for ticket, tries in tries_of(self.queues.search).items():
                told = tries[-1].user_attrs
                lost = all(t.state == TrialState.FAIL and ERROR not in t.user_attrs for t in tries)
                name = next(iter(told.get("runs", [])), "")
                results = self.sweep.trials / name / "results.json"
                if lost and name.startswith(PREFIX) and results.exists():
                    task = self._task(name, told["values"])
                    self._keep(self._enter(ticket, task), task, seconds=None)


@contextmanager
def alive(storage: Storage, trial: int) -> Iterator[None]:
    """Give signs of life of a trial that Optuna does not run."""
    ended = threading.Event()

    def say() -> None:
        storage.record_heartbeat(trial)
        while not ended.wait(HEARTBEAT_S):
            storage.record_heartbeat(trial)

    thread = threading.Thread(target=say, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def unwrapped(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of W&B's file of a run's parameters, which has each below ``value``."""
    return {
        key: entry["value"]
        for key, entry in chosen.items()
        if isinstance(entry, Mapping) and "value" in entry
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask for values and train until the server has no more."""
    folder, slot = read_arguments(__doc__ or "", arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # W&B's agent ends its run on Ctrl-C
    try:
        sweep = Sweep(folder)
        where = open_sweep(sweep)
        with own_name(folder) as name:
            agent = Agent(sweep, slot, open_patiently(sweep, name), name)
            agent.keep_forgotten()
            wandb.agent(
                where.sweep_id, function=agent.run_one, entity=where.entity, project=where.project
            )
        if agent.failed >= MAX_FAILED:
            raise UserError(
                f"W&B's agent gave up: {agent.failed} runs failed one after another; their "
                f"reasons stand in {folder / 'logs'}; go on with --resume"
            )
    except StorageError as problem:
        sys.stderr.write(f"error: {problem}\n")
        return LOST_PEER
    except UserError as problem:
        sys.stderr.write(f"error: {problem}\n")
        return BAD_INPUT
    finally:
        wandb.teardown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
