"""The one driver of a sweep: asks for values, has them run, and tells what came out."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import optuna
from optuna.trial import Trial, TrialState

from cinelex.core.errors import UserError
from cinelex.core.signals import leaving
from cinelex.runners.record import validations
from cinelex.sweeps import training
from cinelex.sweeps.distributions import draw
from cinelex.sweeps.outcomes import judged, outcome, plain_name, winner
from cinelex.sweeps.settings import Task, check_recorded, tasks_of
from cinelex.sweeps.studies import Studies, validations_of
from cinelex.sweeps.training import MAX_KILLED, SAVED, Pool, Process, is_killed


class Driver:
    """Runs what is left of a sweep, in one thread; nobody else works in the sweep's folder."""

    def __init__(self, studies: Studies, pool: Pool, say: Callable[[str], None]) -> None:
        self.studies, self.pool, self.say = studies, pool, say
        self.running: list[Attempt] = []

    def run(self, *, search: bool = True) -> bool:
        """Run the default recipe, the search, and the last comparison; return False if stopped.

        What runs when this ends early saves, and goes on when a driver is started again.

        Args:
            search: Whether configurations are chosen here, and not by W&B's server.
        """
        self.studies.fill(search=search)
        with leaving() as asked:
            try:
                while self._go_on():
                    if asked.wait(training.POLL_S):
                        return False
            finally:
                self._leave()
        return True

    def _go_on(self) -> bool:
        """Note what has ended, begin what there is room for; return whether anything is left."""
        for one in [*self.running]:
            if one.is_settled():
                self.running.remove(one)
                self.say(outcome(one.study.trials[one.trial.number]).summary())
        room = self.pool.size
        while len(self.running) < room and (attempt := self._next()):
            self.running.append(attempt)
        return bool(self.running) or not room

    def _next(self) -> "Attempt | None":
        """Begin the next trial that is not settled, if there is one."""
        for study in self.studies:
            if study is self.studies.final and not study.trials:
                if self.running:
                    return None  # one of them may win
                found = winner(self.studies)
                if found is not None:
                    self.studies.fill_final(found.number, found.values)
            in_hand = [one.trial.number for one in self.running if one.study is study]
            trial = self.studies.next_trial(study, in_hand)
            if trial is not None:
                return Attempt(self.studies, study, trial, self.pool)
        return None

    def _leave(self) -> None:
        """Leave nothing running behind."""
        for one in self.running:
            one.process.terminate()
        while any(one.process.poll() is None for one in self.running):
            time.sleep(training.POLL_S)


class Attempt:
    """Takes one trial of a study from its values to its scores."""

    def __init__(self, studies: Studies, study: optuna.Study, trial: Trial, pool: Pool) -> None:
        """Choose the values that are not chosen yet, and start the first run."""
        self.sweep, self.study, self.trial, self.pool = studies.sweep, study, trial, pool
        noted: Mapping[str, Any] = trial.user_attrs
        searched = noted["recipe"] == "search"
        values = draw(trial, self.sweep.plan.distributions) if searched else noted.get("values", {})
        self.tasks = tasks_of(self.sweep, noted["recipe"], trial.number, values, noted.get("seed"))
        self._note(values=values, runs=[task.name for task in self.tasks])
        settings = self.sweep.settings
        self.can_prune = searched and len(settings.metrics) == 1 and settings.pruner != "none"
        self.objective = plain_name(settings.metrics[0].name)
        self.reported = len(study.trials[trial.number].intermediate_values)
        self.begun, self.finished, self.pruned = time.monotonic(), 0, False
        self.process = self._start()

    @property
    def task(self) -> Task:
        """Return the run that is in hand."""
        return self.tasks[self.finished]

    def is_settled(self) -> bool:
        """See to the process; return whether nothing is left to do."""
        code = self.process.poll()
        self._report()
        if code is None:
            return False
        if code == 0:
            return self._go_on()
        if self.pruned:
            return self._tell(state=TrialState.PRUNED)
        killed = is_killed(code) and self._count("killed") <= MAX_KILLED
        if not killed and code not in SAVED:
            self._note(error=training.reason(self.sweep, self.task, code))
            return self._tell(state=TrialState.FAIL)
        self.process = self._start()
        return False

    def _start(self) -> Process:
        self._count("begun")
        return self.pool.start(self.task)

    def _report(self) -> None:
        """Tell Optuna what was validated; where it has seen enough, let the run save and end."""
        if not self.can_prune or self.finished or self.pruned:
            return
        rows = validations(self.sweep.trials / self.task.name / "metrics.jsonl")
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
            values, found = judged(self.sweep, self.tasks)
        except UserError as error:
            self._note(error=str(error))
            return self._tell(state=TrialState.FAIL)
        self._note(**found, seconds=round(time.monotonic() - self.begun, 1))
        return self._tell(values=values)

    def _note(self, **attributes: Any) -> None:
        for key, value in attributes.items():
            self.trial.set_user_attr(key, value)

    def _count(self, what: str) -> int:
        count = int(self.trial.user_attrs.get(what, 0)) + 1
        self._note(**{what: count})
        return count

    def _tell(self, **outcome: Any) -> bool:
        self.study.tell(self.trial, **outcome)
        return True
