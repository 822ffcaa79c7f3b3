"""One configuration in hand: its runs, one after another, each in a process."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import optuna
from optuna.trial import Trial, TrialState
from pydantic import JsonValue

from cinelex.core.errors import UserError
from cinelex.sweeps.distributions import draw
from cinelex.sweeps.objectives import plain_name
from cinelex.sweeps.pools import MAX_KILLED, Pool, Process
from cinelex.sweeps.samplers import validations_of
from cinelex.sweeps.scores import means
from cinelex.sweeps.studies import Studies
from cinelex.sweeps.task import Task, check_recorded, tasks_of
from cinelex.sweeps.training import SAVED, is_killed, reason, record_hash, validations


class Attempt:
    """Takes one trial of a study from its values to its scores."""

    def __init__(self, studies: Studies, study: optuna.Study, trial: Trial, pool: Pool) -> None:
        """Choose the values that are not chosen yet, and start the first run."""
        self.sweep, self.study, self.trial, self.pool = studies.sweep, study, trial, pool
        told: Mapping[str, Any] = trial.user_attrs
        self.values: Mapping[str, JsonValue] = told.get("values", {})
        if told["recipe"] == "search":
            self.values = draw(trial, self.sweep.plan.parameters)
        self.tasks = tasks_of(
            self.sweep, told["recipe"], trial.number, self.values, told.get("seed")
        )
        trial.set_user_attr("values", dict(self.values))
        trial.set_user_attr("runs", [task.name for task in self.tasks])
        metrics = self.sweep.settings.metrics
        pruner = self.sweep.settings.pruner
        self.can_prune = study is studies.search and len(metrics) == 1 and pruner != "none"
        self.objective = plain_name(metrics[0].name)
        self.reported = len(study.get_trials(deepcopy=False)[trial.number].intermediate_values)
        self.begun, self.finished, self.pruned = time.monotonic(), 0, False
        self.process = self._start()

    @property
    def task(self) -> Task:
        """Return the run that is in hand."""
        return self.tasks[self.finished]

    def _start(self) -> Process:
        self._count("begun")
        return self.pool.start(self.task)

    def _count(self, what: str) -> int:
        count = int(self.trial.user_attrs.get(what, 0)) + 1
        self.trial.set_user_attr(what, count)
        return count

    def is_settled(self) -> bool:
        """See to the process; return whether nothing is left to do."""
        code = self.process.poll()
        self._report()
        if code is None:
            return False
        if code == 0:
            return self._go_on()
        if self.pruned:
            self.study.tell(self.trial, state=TrialState.PRUNED)
            return True
        killed = is_killed(code) and self._count("killed") <= MAX_KILLED
        if not killed and code not in SAVED:
            return self._fail(reason(self.sweep, self.task, code))
        self.process = self._start()
        return False

    def _report(self) -> None:
        """Tell Optuna what was validated; where it has seen enough, let the run save and end."""
        if not self.can_prune or self.finished or self.pruned:
            return
        rows = validations(self.sweep.trials / self.task.name)
        values = [float(row[self.objective]) for row in rows if row.get(self.objective) is not None]
        for value in values[self.reported :]:
            self.reported += 1
            self.trial.report(value, step=self.reported)
            # after the last validation there is nothing left to save
            if self.reported < validations_of(self.sweep) and self.trial.should_prune():
                self.pruned = True
                self.process.terminate()
                return

    def _go_on(self) -> bool:
        """Start the run of the next seed, or note the scores."""
        try:
            check_recorded(self.sweep, self.task)
            self.finished += 1
            if self.finished < len(self.tasks):
                self.process = self._start()
                return False
            scores = means(self.sweep, self.tasks)
        except UserError as error:
            return self._fail(str(error))
        told = {name: asdict(score) for name, score in scores.items()}
        self.trial.set_user_attr("scores", told)
        self.trial.set_user_attr("record", record_hash(self.sweep.trials / self.tasks[0].name))
        self.trial.set_user_attr("seconds", round(time.monotonic() - self.begun, 1))
        self.study.tell(self.trial, [score.value for score in scores.values()])
        return True

    def _fail(self, why: str) -> bool:
        self.trial.set_user_attr("error", why)
        self.study.tell(self.trial, state=TrialState.FAIL)
        return True
