"""What is still to be run and what came out, in a database that workers on several nodes share."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from optuna.trial import Trial, TrialState
from pydantic import JsonValue
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from core.errors import UserError
from core.files import hash_json
from sweeps.distributions import Choice, Distribution
from sweeps.samplers import build_pruner, build_sampler
from sweeps.settings import Sweep

NAMES = ("default", "search", "final")
"""The default recipe, the configurations that are tried, and the winner against the default."""
HEARTBEAT_S, GRACE_S = 60, 240
"""A worker says that it lives, and after how long a silence its trial is begun again."""
WORKER = "worker"
"""The name of the worker that has a trial, or had it."""
TICKET = "ticket"
"""A configuration's number: a retry has its predecessor's, and nothing without one counts."""


@contextmanager
def known_experiments() -> Iterator[None]:
    """Keep quiet about parts of Optuna that it may still change; the lock pins them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        yield


@dataclass(frozen=True)
class Queues:
    """Three Optuna studies with one storage."""

    default: optuna.Study
    search: optuna.Study
    final: optuna.Study
    storage: RDBStorage
    retry: RetryHeartbeatStaleTrialCallback

    def __iter__(self) -> Iterator[optuna.Study]:
        return iter((self.default, self.search, self.final))

    def next_queue(self) -> optuna.Study | None:
        """Return the queue to take from, or None where all that is left is in other hands.

        The final runs wait until nobody can change the winner any more.
        """
        for study in (self.default, self.search):
            if _in_state(study, TrialState.WAITING):
                return study
        running = [_in_state(study, TrialState.RUNNING) for study in (self.default, self.search)]
        return (
            self.final if not any(running) and _in_state(self.final, TrialState.WAITING) else None
        )

    def done(self) -> bool:
        """Return whether nothing is waiting or running."""
        return not any(_in_state(study, TrialState.WAITING, TrialState.RUNNING) for study in self)

    def claim(self, study: optuna.Study, worker: str) -> None:
        """Put a worker's name and a first heartbeat on the trial that it is about to take.

        Without them a worker that dies between taking a trial and its first heartbeat leaves one
        that runs for ever: Optuna asks only those after their health that have shown some.
        """
        waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        if waiting:
            place = self.storage.get_study_id_from_name(study.study_name)
            trial = self.storage.get_trial_id_from_study_id_trial_number(place, waiting[0].number)
            self.storage.set_trial_user_attr(trial, WORKER, worker)
            self.storage.record_heartbeat(trial)

    def give_back(self, study: optuna.Study, number: int) -> None:
        """Put a trial that was stopped politely in its queue again, however often that happens."""
        trial = next(one for one in study.get_trials() if one.number == number)
        with known_experiments():
            RetryHeartbeatStaleTrialCallback()(study, trial)
        study.tell(number, state=TrialState.FAIL, skip_if_finished=True)

    def take_back(self, worker: str) -> int:
        """Requeue what a worker of this name left running when it died; return how many."""
        left = [
            (study, trial)
            for study in self
            for trial in study.get_trials(states=(TrialState.RUNNING,))
            if trial.user_attrs.get(WORKER) == worker
        ]
        for study, trial in left:
            with known_experiments():
                self.retry(study, trial)
            study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
        return len(left)


def _in_state(study: optuna.Study, *states: TrialState) -> bool:
    return bool(study.get_trials(deepcopy=False, states=states))


def open_queues(sweep: Sweep, *, sampler_key: str = "reader") -> Queues:
    """Open a sweep's database, and make what is not in it.

    Args:
        sweep: The sweep.
        sampler_key: Two workers with different keys do not draw the same values.

    Raises:
        UserError: The database cannot be reached.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with known_experiments():
        retry = RetryHeartbeatStaleTrialCallback(max_retry=sweep.settings.retries)
        storage = _open_storage(sweep.storage, retry)
        directions = [metric.goal for metric in sweep.settings.metrics]
        studies = [
            optuna.create_study(
                study_name=f"{sweep.name}/{name}",
                storage=storage,
                directions=directions,
                load_if_exists=True,
                pruner=build_pruner(sweep) if name == "search" else optuna.pruners.NopPruner(),
            )
            for name in NAMES
        ]
    default, search, final = studies
    # a worker that was started again must not draw what it drew before
    begun = sum(one.state != TrialState.WAITING for one in search.get_trials(deepcopy=False))
    key = hash_json([sweep.name, sampler_key, begun])
    with known_experiments():
        search.sampler = build_sampler(sweep.settings, seed=int(key[:8], 16))
    return Queues(default, search, final, storage, retry)


def _open_storage(url: str, retry: RetryHeartbeatStaleTrialCallback) -> RDBStorage:
    # a connection to a server lives as long as one question: no pool keeps it open behind the end
    sqlite = url.startswith("sqlite")
    own = {"connect_args": {"timeout": 120}} if sqlite else {"poolclass": NullPool}
    try:
        return RDBStorage(
            url,
            engine_kwargs={"pool_pre_ping": True, **own},
            heartbeat_interval=HEARTBEAT_S,
            grace_period=GRACE_S,
            heartbeat_stale_trial_callback=retry,
        )
    except (SQLAlchemyError, ImportError) as error:
        # the address may hold a password, and the error may quote it
        kind = type(error).__name__
        raise UserError(
            f"--storage: the database cannot be opened ({kind}); expected an address such as "
            "sqlite:///sweep.sqlite or postgresql+psycopg://user@host/database"
        ) from None


def fill(queues: Queues, sweep: Sweep, *, search: bool = True) -> None:
    """Put every configuration that is not there yet in its queue.

    Args:
        queues: The queues.
        sweep: What to fill them from.
        search: Whether the configurations are chosen here, and not by W&B's server.
    """
    _enqueue(queues.default, [({}, {"recipe": "default"})])
    if search:
        _enqueue(queues.search, [(point, {"recipe": "search"}) for point in _points(sweep)])
    pairs = [(seed, name) for seed in sweep.final_seeds() for name in ("default", "winner")]
    _enqueue(queues.final, [({}, {"recipe": name, "seed": seed}) for seed, name in pairs])


def _enqueue(
    study: optuna.Study, tickets: Sequence[tuple[dict[str, Any], Mapping[str, object]]]
) -> None:
    there = {trial.user_attrs.get(TICKET) for trial in study.get_trials(deepcopy=False)}
    for number, (params, attributes) in enumerate(tickets):
        if number not in there:
            study.enqueue_trial(params, user_attrs={TICKET: number, **attributes})


def _points(sweep: Sweep) -> list[dict[str, Any]]:
    """Return what is decided about each configuration: nothing, or all of it in a grid."""
    count = sweep.settings.count
    if sweep.settings.sampler != "grid":
        return [{} for _ in range(count)]
    parameters = {key: sweep.plan.parameters[key] for key in sweep.plan.swept}
    axes = [parameter.grid() or () for parameter in parameters.values()]
    return [dict(zip(parameters, point, strict=True)) for point in islice(product(*axes), count)]


def draw(trial: Trial, parameters: Mapping[str, Distribution]) -> dict[str, JsonValue]:
    """Let the sampler choose a value for each key."""
    return {key: _draw(trial, key, parameter) for key, parameter in parameters.items()}


def _draw(trial: Trial, key: str, parameter: Distribution) -> JsonValue:
    if isinstance(parameter, Choice) and len(parameter.values) == 1:
        return parameter.values[0]
    source = parameter.drawn_from()
    if isinstance(source, CategoricalDistribution):
        return parameter.value(str(trial.suggest_categorical(key, source.choices)))
    if isinstance(source, IntDistribution):
        return parameter.value(trial.suggest_int(key, source.low, source.high))
    assert isinstance(source, optuna.distributions.FloatDistribution)
    return parameter.value(trial.suggest_float(key, source.low, source.high, log=source.log))
