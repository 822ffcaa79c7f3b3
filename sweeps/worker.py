"""A worker: takes one configuration after another from the queues, and runs it in its slot."""

import json
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from types import FrameType
from typing import Any

import optuna
from optuna.trial import Trial
from pydantic import JsonValue

from cinelex.core.errors import UserError
from cinelex.core.exit_codes import BAD_INPUT, INTERRUPTED, LOST_PEER
from cinelex.sweeps.names import abandoned, own_name
from cinelex.sweeps.objectives import plain_name
from cinelex.sweeps.outcomes import WINNER, Outcome, winner
from cinelex.sweeps.queues import (
    Queues,
    StorageError,
    draw,
    known_experiments,
    open_queues,
)
from cinelex.sweeps.samplers import validations
from cinelex.sweeps.scores import mean_scores, measured
from cinelex.sweeps.settings import Sweep
from cinelex.sweeps.slots import Slot, read_arguments
from cinelex.sweeps.task import Recipe, Task
from cinelex.sweeps.tickets import ERROR, STOPPED, TICKET
from cinelex.sweeps.training import (
    InUseError,
    Row,
    TrialError,
    record_hash,
    train,
)
from cinelex.sweeps.turns import turn

IDLE_S = 2.0
"""Time between two looks at queues in which all that is left is in other hands."""
AWAY_S = 600.0
"""Time that a database may be away before its workers are, too."""


class StoppedError(Exception):
    """The worker was asked to leave, or its trial was, and everything is saved."""


class Worker:
    """Runs trials until none is left."""

    def __init__(self, sweep: Sweep, slot: Slot, name: str) -> None:
        """Open the queues, and take back what this host's dead workers left.

        Args:
            sweep: The sweep.
            slot: Where to run its trials.
            name: What no other living worker is called.
        """
        self.sweep, self.slot, self.name = sweep, slot, name
        self.queues = open_patiently(sweep, name)
        self.asked = False
        back = take_from_the_dead(sweep, self.queues, name)
        if back:
            self.tell(f"{back} trials that died with their workers are in the queue again")

    def tell(self, text: str) -> None:
        """Write a line to the worker's log."""
        sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
        sys.stdout.flush()

    def work(self) -> int:
        """Run trials until none is left; return the exit code."""
        while not self.asked:
            if self._take():
                continue
            if self.queues.done():
                self.tell("nothing is left to do")
                return 0
            time.sleep(IDLE_S)
        return INTERRUPTED

    def _take(self) -> bool:
        """Run the next trial; return False where there is none to take.

        From the look at the queues until the trial runs under this worker's name it is this
        worker's turn: nobody else takes the same trial, or puts a name on it.
        """
        with turn(self.sweep) as mine:
            self.queues.mend()
            study = self.queues.next_queue()
            if study is None:
                return False

            def objective(trial: Trial) -> Sequence[float]:
                mine.close()
                return self._run(study, trial)

            self.queues.claim(study, self.name)
            with known_experiments():
                # what ends otherwise ends this worker, and its trial is begun again
                study.optimize(objective, n_trials=1, catch=(TrialError, StoppedError, InUseError))
        return True

    def _run(self, study: optuna.Study, trial: Trial) -> Sequence[float]:
        """Run one configuration; note why it has no values, if it has none."""
        try:
            return self._measure(study, trial)
        except TrialError as error:
            trial.set_user_attr(ERROR, str(error))
            self.tell(f"failed: {error}")
            raise
        except StoppedError:
            trial.set_user_attr(STOPPED, True)
            raise
        except InUseError as error:
            self.tell(f"in the queue again: {error}")
            raise

    def _measure(self, study: optuna.Study, trial: Trial) -> Sequence[float]:
        """Run one configuration with all of its seeds; return the value of each objective."""
        tasks = self._tasks(trial)
        trial.set_user_attr("values", dict(tasks[0].values))
        trial.set_user_attr("runs", [task.name for task in tasks])
        begun = time.monotonic()
        results = []
        for number, task in enumerate(tasks):
            self.tell(f"{task.name}: {json.dumps(dict(task.values))}")
            results.append(self._train(study, trial, task, watched=number == 0))
        scores = mean_scores(self.sweep, results)
        trial.set_user_attr("scores", {name: asdict(score) for name, score in scores.items()})
        trial.set_user_attr("seconds", round(time.monotonic() - begun, 1))
        trial.set_user_attr("record", record_hash(self.sweep.trials / tasks[0].name))
        self.tell(", ".join(f"{name} {score.value:.4g}" for name, score in scores.items()))
        return [score.value for score in scores.values()]

    def _tasks(self, trial: Trial) -> list[Task]:
        recipe: Recipe = trial.user_attrs["recipe"]
        ticket = int(trial.user_attrs[TICKET])
        values: Mapping[str, JsonValue] = {}
        if recipe == "search":
            values = draw(trial, self.sweep.plan.parameters)
        elif recipe == "winner":
            values = self._winner().values
        if "seed" in trial.user_attrs:
            seed = int(trial.user_attrs["seed"])
            return [Task(f"final-{recipe}-seed{seed}", values, seed, on_test=True)]
        return [
            Task(f"{recipe}-{ticket:03d}-seed{seed}", values, seed)
            for seed in self.sweep.search_seeds()
        ]

    def _winner(self) -> Outcome:
        """Return what all final runs compare, whichever of them is the first."""
        found = winner(self.sweep, self.queues)
        if found is None:
            raise TrialError("no configuration was completed, so there is no winner")
        self.queues.final.set_user_attr(WINNER, found.ticket)
        return found

    def _train(
        self, study: optuna.Study, trial: Trial, task: Task, *, watched: bool
    ) -> Mapping[str, Any]:
        """Run one task and return its results."""
        objective = plain_name(self.sweep.settings.metrics[0].name)
        pruning = watched and study is self.queues.search and len(study.directions) == 1
        seen: list[float] = []

        def watch(row: Row) -> bool:
            if not pruning or row.get(objective) is None:
                return False
            seen.append(float(row[objective]))
            trial.report(seen[-1], step=len(seen))
            # after the last validation there is nothing left to save
            return len(seen) < validations(self.sweep) and trial.should_prune()

        how = train(self.sweep, task, self.slot, watch=watch, asked_to_stop=lambda: self.asked)
        if how == "stopped":
            raise StoppedError
        if how == "ended":
            self.tell(f"{task.name}: ended early after {len(seen)} validations at {seen[-1]:.4g}")
            raise optuna.TrialPruned
        return measured(self.sweep, task)

    def stop(self, number: int, frame: FrameType | None) -> None:
        """Take a signal: the running trial saves and is queued again. A second one ends at once."""
        self.asked = True
        signal.signal(number, signal.SIG_DFL)


def open_patiently(sweep: Sweep, name: str) -> Queues:
    """Open the queues; wait for a database that is away, since the coordinator has seen it.

    Raises:
        StorageError: It stays away.
    """
    deadline = time.monotonic() + AWAY_S
    while True:
        try:
            return open_queues(sweep, sampler_key=name)
        except StorageError:
            if time.monotonic() > deadline:
                raise
        time.sleep(IDLE_S)


def take_from_the_dead(sweep: Sweep, queues: Queues, name: str) -> int:
    """Fail what this host's dead workers left running, among them the last of this name.

    Returns:
        How many trials.
    """
    back = 0
    for dead in chain([name], abandoned(sweep.folder)):
        with turn(sweep):
            back += queues.take_back(dead)
    return back


def main(arguments: Sequence[str] | None = None) -> int:
    """Work as the coordinator's command line says."""
    folder, slot = read_arguments(__doc__ or "", arguments)
    try:
        with own_name(folder) as name:
            worker = Worker(Sweep(folder), slot, name)
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, worker.stop)
            return worker.work()
    except StorageError as problem:
        sys.stderr.write(f"error: {problem}\n")
        return LOST_PEER  # not the user's fault: the coordinator starts this worker again
    except UserError as problem:
        sys.stderr.write(f"error: {problem}\n")
        return BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
