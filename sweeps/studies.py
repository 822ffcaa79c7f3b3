"""What was tried and what is still to be tried, as three studies of Optuna in one file."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

import optuna
from optuna import pruners, samplers
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from cinelex.core.files import hash_json
from cinelex.sweeps.plan import EarlyTerminate
from cinelex.sweeps.settings import STUDY_FILE, Settings, Sweep

MAX_RANDOM = 10
"""Configurations after which a sampler has seen enough to choose itself."""


@dataclass(frozen=True)
class Studies:
    """Each configuration is one trial, whose number it keeps however often it is begun."""

    sweep: Sweep
    storage: RDBStorage
    default: optuna.Study
    """The default recipe."""
    search: optuna.Study
    """The configurations that are tried."""
    final: optuna.Study
    """The default recipe and the winner, once for each new seed."""

    def __iter__(self) -> Iterator[optuna.Study]:
        return iter((self.default, self.search, self.final))

    def fill(self, *, search: bool = True) -> None:
        """Put in what is to be tried, and is not there yet.

        Args:
            search: Whether configurations are chosen here, and not by W&B's server.
        """
        points = _points(self.sweep) if search else []
        _add(self.default, [({}, {"recipe": "default"})])
        _add(self.search, [(point, {"recipe": "search"}) for point in points])

    def fill_final(self, winner: int, values: Mapping[str, Any]) -> None:
        """Put in the last comparison; its winner stays, though a later one may be better."""
        default, won = {"recipe": "default"}, {"recipe": "winner", "values": dict(values)}
        pairs = [(seed, one) for seed in self.sweep.final_seeds() for one in (default, won)]
        _add(self.final, [({}, {"seed": seed, "winner": winner, **one}) for seed, one in pairs])

    def next_trial(self, study: optuna.Study, in_hand: Collection[int]) -> Trial | None:
        """Return a trial that was left running, or one that waits; None where there is none.

        Args:
            study: One of the studies.
            in_hand: Numbers of its trials that are run now.
        """
        for left in _trials(study, TrialState.RUNNING):
            if left.number not in in_hand:
                # whoever began it is dead; it keeps its number, its values and its folder
                there = self.storage.get_study_id_from_name(study.study_name)
                found = self.storage.get_trial_id_from_study_id_trial_number(there, left.number)
                return Trial(study, found)
        waiting = len(_trials(study, TrialState.WAITING))
        if not waiting:
            return None
        if study is self.search:
            # a draw follows from what came before, and not from how often a driver was started
            key = hash_json([self.sweep.name, len(study.trials) - waiting])
            study.sampler = _sampler(self.sweep.settings, seed=int(key[:8], 16))
        return study.ask()


def open_studies(sweep: Sweep) -> Studies:
    """Open a sweep's file of studies, or make it."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = RDBStorage(f"sqlite:///{sweep.folder / STUDY_FILE}")
    default, search, final = (
        optuna.create_study(
            study_name=name,
            storage=storage,
            directions=[metric.goal for metric in sweep.settings.metrics],
            load_if_exists=True,
            pruner=_pruner(sweep) if name == "search" else pruners.NopPruner(),
        )
        for name in ("default", "search", "final")
    )
    return Studies(sweep, storage, default, search, final)


def validations_of(sweep: Sweep) -> int:
    """Return how many validations a whole run of the base config has."""
    every = sweep.base.validate_every
    return sweep.base.steps // every if every else 0


def _trials(study: optuna.Study, state: TrialState) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(state,))


def _add(study: optuna.Study, wanted: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    for point, attributes in wanted[len(study.trials) :]:
        study.enqueue_trial(point, user_attrs=attributes)


def _points(sweep: Sweep) -> list[dict[str, Any]]:
    """Return what is decided about each configuration: nothing, or all of it in a grid."""
    count = sweep.settings.count
    if sweep.settings.sampler != "grid":
        return [{} for _ in range(count)]
    parameters = sweep.plan.swept
    axes = [parameter.grid() or () for parameter in parameters.values()]
    return [dict(zip(parameters, point, strict=True)) for point in islice(product(*axes), count)]


def _sampler(settings: Settings, *, seed: int) -> samplers.BaseSampler:
    """Return who chooses; the first third of the configurations, at most 10, is random.

    A grid's points are decided beforehand, so that nothing is left to choose.
    """
    first = min(MAX_RANDOM, max(3, settings.count // 3))
    if settings.sampler == "tpe":
        return samplers.TPESampler(seed=seed, n_startup_trials=first, constant_liar=True)
    if settings.sampler == "cmaes":
        return samplers.CmaEsSampler(
            seed=seed, n_startup_trials=first, warn_independent_sampling=False
        )
    return samplers.RandomSampler(seed=seed)


def _pruner(sweep: Sweep) -> pruners.BasePruner:
    """Return who ends a bad trial, by the number of validations that it has had."""
    kind = sweep.settings.pruner
    rules = sweep.plan.early_terminate or EarlyTerminate(type="hyperband")
    least, eta = rules.min_iter, max(2, round(rules.eta))
    if kind == "hyperband":
        most = max(least, rules.max_iter or validations_of(sweep))
        return pruners.HyperbandPruner(min_resource=least, max_resource=most, reduction_factor=eta)
    if kind == "successive_halving":
        return pruners.SuccessiveHalvingPruner(min_resource=least, reduction_factor=eta)
    if kind == "median":
        return pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=least)
    return pruners.NopPruner()
