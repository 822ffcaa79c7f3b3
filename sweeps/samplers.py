"""Who chooses the next values of a sweep, and who ends a bad trial."""

from optuna.pruners import (
    BasePruner,
    HyperbandPruner,
    MedianPruner,
    NopPruner,
    SuccessiveHalvingPruner,
)
from optuna.samplers import BaseSampler, CmaEsSampler, RandomSampler, TPESampler

from cinelex.sweeps.plan import EarlyTerminate
from cinelex.sweeps.settings import Settings, Sweep

MAX_RANDOM = 10
"""Configurations after which a sampler has seen enough to choose itself."""


def build_sampler(settings: Settings, *, seed: int) -> BaseSampler:
    """Return Optuna's sampler; the first third of the configurations, at most 10, is random.

    A grid's points are decided beforehand, so that nothing is left to choose.
    """
    first = min(MAX_RANDOM, max(3, settings.count // 3))
    if settings.sampler == "tpe":
        return TPESampler(seed=seed, n_startup_trials=first, constant_liar=True)
    if settings.sampler == "cmaes":
        return CmaEsSampler(seed=seed, n_startup_trials=first, warn_independent_sampling=False)
    return RandomSampler(seed=seed)


def build_pruner(sweep: Sweep) -> BasePruner:
    """Return Optuna's pruner; its resource is the number of validations that a trial has had."""
    kind = sweep.settings.pruner
    rules = sweep.plan.file.early_terminate or EarlyTerminate(type="hyperband")
    eta = max(2, round(rules.eta))
    if kind == "hyperband":
        return HyperbandPruner(
            min_resource=rules.min_iter,
            max_resource=max(rules.min_iter, rules.max_iter or validations_of(sweep)),
            reduction_factor=eta,
        )
    if kind == "successive_halving":
        return SuccessiveHalvingPruner(min_resource=rules.min_iter, reduction_factor=eta)
    if kind == "median":
        return MedianPruner(n_startup_trials=4, n_warmup_steps=rules.min_iter)
    return NopPruner()


def validations_of(sweep: Sweep) -> int:
    """Return how many validations a whole run of the base config has."""
    every = sweep.base.validate_every
    return sweep.base.steps // every if every else 0
