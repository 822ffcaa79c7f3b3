"""The one driver of a sweep: asks for values, has them run, and tells what came out."""

import json
import time
from collections.abc import Callable
from threading import Event

import optuna

from cinelex.sweeps import training
from cinelex.sweeps.attempt import Attempt
from cinelex.sweeps.leaving import leaving
from cinelex.sweeps.outcomes import Outcome, outcome, winner
from cinelex.sweeps.pools import Pool
from cinelex.sweeps.studies import Studies


class StoppedError(Exception):
    """A signal asked the driver to leave."""


class Driver:
    """Runs what is left of a sweep, in one thread."""

    def __init__(self, studies: Studies, pool: Pool, say: Callable[[str], None]) -> None:
        """Go on from what was tried so far.

        Args:
            studies: Nobody else works in the folder of their sweep.
            pool: Where runs run.
            say: Is told how it goes, a line at a time.
        """
        self.studies, self.pool, self.say = studies, pool, say
        self.running: list[Attempt] = []
        self.asked = Event()

    def run(self, *, search: bool = True) -> bool:
        """Run the default recipe, the search, and the last comparison; return False if stopped.

        What runs when this ends early saves, and goes on when a driver is started again.

        Args:
            search: Whether configurations are chosen here, and not by W&B's server.
        """
        with leaving() as self.asked:
            try:
                self.studies.fill(search=search)
                self._work_off(self.studies.default)
                self._work_off(self.studies.search)
                self._wait(until=lambda: not self.running)
                self._choose_winner()  # which nothing can change any more
                self._work_off(self.studies.final)
                self._wait(until=lambda: not self.running)
            except StoppedError:
                return False
            finally:
                self._leave()
        return True

    def _work_off(self, study: optuna.Study) -> None:
        """Begin every trial of a study that is not settled, as soon as there is room for it."""
        while True:
            self._wait(until=lambda: len(self.running) < self.pool.size)
            in_hand = [one.trial.number for one in self.running if one.study is study]
            trial = self.studies.next_trial(study, in_hand)
            if trial is None:
                return
            self.running.append(Attempt(self.studies, study, trial, self.pool))

    def _choose_winner(self) -> None:
        found = winner(self.studies)
        if found is not None:
            self.studies.fill_final(found.number, found.values)

    def _wait(self, until: Callable[[], bool]) -> None:
        while not until():
            self._check_asked()
            time.sleep(training.POLL_S)
            for one in [*self.running]:
                if one.is_settled():
                    self.running.remove(one)
                    trial = one.study.get_trials(deepcopy=False)[one.trial.number]
                    self.say(news(outcome(trial)))
        self._check_asked()

    def _check_asked(self) -> None:
        if self.asked.is_set():
            raise StoppedError

    def _leave(self) -> None:
        """Leave nothing running behind."""
        for one in self.running:
            one.process.terminate()
        while any(one.process.poll() is None for one in self.running):
            time.sleep(training.POLL_S)


def news(one: Outcome) -> str:
    """Return one line on a configuration that is settled."""
    values = ", ".join(f"{key}={json.dumps(value)}" for key, value in one.values.items())
    head = one.label if one.seed is None else f"{one.recipe} on the test studies, seed {one.seed}"
    again = f"; begun {one.begun} times" if one.begun > 1 else ""
    if one.state == "complete":
        scores = ", ".join(f"{name} {score.value:.4g}" for name, score in one.scores.items())
        return f"{head}: {scores} ({values or 'base config'}{again})"
    if one.state == "pruned":
        return f"{head}: ended early after {len(one.curve)} validations ({values}{again})"
    return f"{head}: failed: {one.error} ({values}{again})"
