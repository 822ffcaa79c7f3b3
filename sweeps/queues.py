"""What is still to be run and what came out, in a database that workers on several nodes share."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState
from pydantic import JsonValue
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from cinelex.core.errors import UserError
from cinelex.core.files import hash_json
from cinelex.sweeps.distributions import Choice, Distribution
from cinelex.sweeps.samplers import build_pruner, build_sampler
from cinelex.sweeps.settings import Sweep
from cinelex.sweeps.tickets import (
    RETRIES,
    TICKET,
    WORKER,
    next_try,
    owed,
    settled,
    tries_of,
)
from cinelex.sweeps.turns import turn

NAMES = ("default", "search", "final")
"""The default recipe, the configurations that are tried, and the winner against the default."""
HEARTBEAT_S, GRACE_S = 60, 240
"""How often a worker says that it lives, and after what silence its trial is begun again."""
AWAY = (StorageInternalError, SQLAlchemyError)
"""What is raised where a database that was there does not answer."""


@contextmanager
def known_experiments() -> Iterator[None]:
    """Keep quiet about parts of Optuna that it may still change; the lock pins them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        yield


class StorageError(UserError):
    """The database cannot be opened: its address is wrong, or it is away for a while."""


class Storage(RDBStorage):
    """Optuna's, whose sign of life survives a database that does not answer.

    Optuna sends it from a thread that ends at the first error: the trial would be taken for dead
    while it runs, and be begun again next to itself.
    """

    def record_heartbeat(self, trial_id: int) -> None:
        """Say that a trial lives, if somebody listens; the next sign comes in a minute."""
        with suppress(*AWAY):
            super().record_heartbeat(trial_id)


@dataclass(frozen=True)
class Queues:
    """Three Optuna studies with one storage; whoever changes them waits for its turn before."""

    default: optuna.Study
    search: optuna.Study
    final: optuna.Study
    storage: Storage

    def __iter__(self) -> Iterator[optuna.Study]:
        return iter((self.default, self.search, self.final))

    def next_queue(self) -> optuna.Study | None:
        """Return the queue to take from, or None where all that is left is in other hands.

        The final runs wait until nobody can change the winner any more.
        """
        found = [[*tries_of(study).values()] for study in self]
        default, search, final = (any(map(_waiting, tries)) for tries in found)
        if default or search:
            return self.default if default else self.search
        return self.final if final and all(map(settled, [*found[0], *found[1]])) else None

    def done(self) -> bool:
        """Return whether every configuration is settled."""
        return all(settled(tries) for study in self for tries in tries_of(study).values())

    def claim(self, study: optuna.Study, worker: str) -> None:
        """Put a worker's name and a first heartbeat on the trial that it takes in the same turn.

        Without them a worker that dies between taking a trial and its first heartbeat leaves one
        that runs for ever: Optuna asks only those after their health that have shown some.
        """
        first = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))[0]
        place = self.storage.get_study_id_from_name(study.study_name)
        trial = self.storage.get_trial_id_from_study_id_trial_number(place, first.number)
        self.storage.set_trial_user_attr(trial, WORKER, worker)
        self.storage.record_heartbeat(trial)

    def take_back(self, worker: str) -> int:
        """Fail what a worker of this name left running when it died; return how many."""
        left = [
            (study, trial)
            for study in self
            for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
            if trial.user_attrs.get(WORKER) == worker
        ]
        for study, trial in left:
            study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
        return len(left)

    def mend(self) -> None:
        """Fail what has been silent for too long, and queue again whatever is owed a try."""
        for study in self:
            with known_experiments():
                optuna.storages.fail_stale_trials(study)
            for tries in tries_of(study).values():
                if owed(tries):
                    study.add_trial(next_try(tries[-1]))


def _waiting(tries: Sequence[FrozenTrial]) -> bool:
    return any(one.state == TrialState.WAITING for one in tries)


def open_queues(sweep: Sweep, *, sampler_key: str = "reader") -> Queues:
    """Open a sweep's database, and make what is not in it.

    Args:
        sweep: The sweep.
        sampler_key: Two workers with different keys do not draw the same values.

    Raises:
        StorageError: The database cannot be opened.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with known_experiments(), _opening(), turn(sweep):
        storage = _open_storage(sweep.storage)
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
        search.sampler = build_sampler(sweep.settings, seed=int(key[:8], 16))
    return Queues(default, search, final, storage)


@contextmanager
def _opening() -> Iterator[None]:
    """Turn what goes wrong with an address or its database into one line."""
    try:
        yield
    except (*AWAY, ImportError) as error:
        # the address may hold a password, and the error may quote it
        kind = type(error).__name__
        raise StorageError(
            f"--storage: the database cannot be opened ({kind}); expected an address such as "
            "sqlite:///sweep.sqlite or postgresql+psycopg://user@host/database"
        ) from None


def _open_storage(url: str) -> Storage:
    # a connection to a server lives as long as one question: no pool keeps it open behind the end
    sqlite = url.startswith("sqlite")
    own = {"connect_args": {"timeout": 120}} if sqlite else {"poolclass": NullPool}
    return Storage(
        url,
        engine_kwargs={"pool_pre_ping": True, **own},
        heartbeat_interval=HEARTBEAT_S,
        grace_period=GRACE_S,
    )


def fill(queues: Queues, sweep: Sweep, *, search: bool = True) -> None:
    """Put every configuration that is not there yet in its queue, once, whoever else does that.

    Args:
        queues: The queues.
        sweep: What to fill them from.
        search: Whether the configurations are chosen here, and not by W&B's server.
    """
    points = _points(sweep) if search else []
    pairs = [(seed, name) for seed in sweep.final_seeds() for name in ("default", "winner")]
    told = {RETRIES: sweep.settings.retries}
    with turn(sweep):
        _enqueue(queues.default, [({}, {"recipe": "default", **told})])
        _enqueue(queues.search, [(point, {"recipe": "search", **told}) for point in points])
        _enqueue(queues.final, [({}, {"recipe": name, "seed": s, **told}) for s, name in pairs])


def _enqueue(
    study: optuna.Study, tickets: Sequence[tuple[dict[str, Any], Mapping[str, object]]]
) -> None:
    there = tries_of(study)
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
