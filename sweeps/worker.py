"""A worker: takes one configuration after another from the queues, and runs it in its slot."""

import fcntl
import json
import signal
import socket
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import FrameType
from typing import Any

import optuna
from optuna.trial import Trial
from pydantic import JsonValue

from core.errors import UserError
from core.files import read_json
from sweeps.objectives import Score, find_score, nested, plain_name
from sweeps.outcomes import winner
from sweeps.queues import TICKET, WORKER, draw, known_experiments, open_queues
from sweeps.samplers import validations
from sweeps.settings import Sweep
from sweeps.slots import Slot, read_arguments
from sweeps.task import Recipe, Task
from sweeps.training import Row, TrialError, Validations, record_hash, train
from sweeps.verdict import student_interval

STOPPED = 130
"""Exit code after a request to stop, with everything saved and queued again."""
IDLE_S = 2.0
"""Time between two looks at queues in which all that is left is in other hands."""


class StoppedError(Exception):
    """The worker was asked to leave while a trial ran."""

    def __init__(self, number: int) -> None:
        super().__init__(f"trial {number} was stopped")
        self.number = number


class Worker:
    """Runs trials until none is left."""

    def __init__(self, sweep: Sweep, slot: Slot) -> None:
        """Open the queues, and take back what this worker left when it died."""
        self.sweep, self.slot = sweep, slot
        self.name = f"{socket.gethostname()}:{sweep.folder.resolve()}:{slot.number}"
        self.queues = open_queues(sweep, sampler_key=self.name)
        self.asked = False
        back = self.queues.take_back(self.name)
        if back:
            self.tell(f"{back} trial that died with this worker is in the queue again")

    def tell(self, text: str) -> None:
        """Write a line to the worker's log."""
        sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
        sys.stdout.flush()

    def work(self) -> int:
        """Run trials until none is left; return the exit code."""
        while not self.asked:
            study = self.queues.next_queue()
            if study is not None:
                self._take(study)
            elif self.queues.done():
                self.tell("nothing is left to do")
                return 0
            else:
                self._revive()
                time.sleep(IDLE_S)
        return STOPPED

    def _revive(self) -> None:
        """Queue again what workers of other nodes left when they died."""
        with known_experiments():
            for study in self.queues:
                optuna.storages.fail_stale_trials(study)

    def _take(self, study: optuna.Study) -> None:
        # SQLite locks no row: two workers of this box must not take the same one
        with (self.sweep.folder / "queue.lock").open("w") as lock, known_experiments():
            fcntl.flock(lock, fcntl.LOCK_EX)

            def objective(trial: Trial) -> Sequence[float]:
                fcntl.flock(lock, fcntl.LOCK_UN)
                return self._run(study, trial)

            try:
                self.queues.claim(study, self.name)
                study.optimize(objective, n_trials=1, catch=TrialError)
            except StoppedError as stopped:
                self.queues.give_back(study, stopped.number)

    def _run(self, study: optuna.Study, trial: Trial) -> Sequence[float]:
        """Run one configuration with all of its seeds; return the value of each objective."""
        if TICKET not in trial.user_attrs:
            raise TrialError("the queue was emptied by another worker in the same moment")
        trial.set_user_attr(WORKER, self.name)
        try:
            tasks = self._tasks(trial)
        except UserError as error:
            raise TrialError(str(error)) from None
        trial.set_user_attr("values", dict(tasks[0].values))
        trial.set_user_attr("runs", [task.name for task in tasks])
        begun = time.monotonic()
        results = []
        try:
            for number, task in enumerate(tasks):
                self.tell(f"{task.name}: {json.dumps(dict(task.values))}")
                results.append(self._train(study, trial, task, watched=number == 0))
            scores = mean_scores(self.sweep, results)
        except TrialError as error:
            trial.set_user_attr("error", str(error))
            self.tell(f"failed: {error}")
            raise
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
            values = winner(self.sweep, self.queues).values
        if "seed" in trial.user_attrs:
            seed = int(trial.user_attrs["seed"])
            return [Task(f"final-{recipe}-seed{seed}", values, seed, on_test=True)]
        return [
            Task(f"{recipe}-{ticket:03d}-seed{seed}", values, seed)
            for seed in self.sweep.search_seeds()
        ]

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
            raise StoppedError(trial.number)
        if how == "ended":
            self.tell(f"{task.name}: ended early after {len(seen)} validations at {seen[-1]:.4g}")
            raise optuna.TrialPruned
        return measured(self.sweep, task)

    def stop(self, number: int, frame: FrameType | None) -> None:
        """Take a signal: the running trial saves and is queued again. A second one ends at once."""
        self.asked = True
        signal.signal(number, signal.SIG_DFL)


def measured(sweep: Sweep, task: Task) -> Mapping[str, Any]:
    """Return what a finished run may be judged by: before the end, validation studies only."""
    folder = sweep.trials / task.name
    if task.on_test or sweep.settings.validation_results:
        results: Mapping[str, Any] = read_json(folder / "results.json")
        return results
    rows = Validations(folder / "metrics.jsonl").new()
    return nested(rows[-1]) if rows else {}


def mean_scores(sweep: Sweep, results: Sequence[Mapping[str, Any]]) -> dict[str, Score]:
    """Return the mean of each objective over the seeds.

    Raises:
        TrialError: The results do not have it.
    """
    try:
        return {
            metric.name: mean_score([find_score(one, metric.name) for one in results])
            for metric in sweep.settings.metrics
        }
    except UserError as error:
        raise TrialError(str(error)) from None


def mean_score(scores: Sequence[Score]) -> Score:
    """Return the mean over seeds, with its Student interval; a single one keeps its own."""
    if len(scores) == 1:
        return scores[0]
    values = [score.value for score in scores]
    low, high = student_interval(values)
    nulls = [score.null for score in scores if score.null is not None]
    null = statistics.fmean(nulls) if nulls else None
    return Score(statistics.fmean(values), low, high, null)


def main(arguments: Sequence[str] | None = None) -> int:
    """Work as the coordinator's command line says."""
    folder, slot = read_arguments(__doc__ or "", arguments)
    try:
        worker = Worker(Sweep(folder), slot)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, worker.stop)
        code = worker.work()
    except UserError as problem:
        sys.stderr.write(f"error: {problem}\n")
        return 2
    return code


if __name__ == "__main__":
    sys.exit(main())
