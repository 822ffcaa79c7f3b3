"""The tries of one configuration: whether something is owed to it, and what its next try is.

Nothing is written down about that. It follows from how its tries ended, so that a worker may be
killed between any two writes and the next one that looks still knows what to do.
"""

from collections.abc import Sequence

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState, create_trial

TICKET = "ticket"
"""A configuration's number, which all of its tries have; nothing without one counts."""
RETRIES = "retries"
"""Times that a configuration is begun again after its worker died; never, where it has none."""
WORKER = "worker"
"""The name of the worker that has a try, or had it."""
ERROR = "error"
"""Why a try failed for good; one that failed without a reason is begun again."""
STOPPED = "stopped"
"""Stands on a try that was stopped and saved: it is begun again, however often that happens."""


def tries_of(study: Study) -> dict[int, list[FrozenTrial]]:
    """Return the tries of each configuration of a queue by its ticket, each in their order."""
    tries: dict[int, list[FrozenTrial]] = {}
    for trial in study.get_trials(deepcopy=False):
        if TICKET in trial.user_attrs:
            tries.setdefault(int(trial.user_attrs[TICKET]), []).append(trial)
    return tries


def owed(tries: Sequence[FrozenTrial]) -> bool:
    """Return whether a configuration has to be begun again: no try is open or has an answer."""
    if any(one.state != TrialState.FAIL or ERROR in one.user_attrs for one in tries):
        return False
    deaths = sum(STOPPED not in one.user_attrs for one in tries)
    return deaths <= max(int(one.user_attrs.get(RETRIES, 0)) for one in tries)


def settled(tries: Sequence[FrozenTrial]) -> bool:
    """Return whether nothing that is known of a configuration will change any more."""
    open_states = (TrialState.WAITING, TrialState.RUNNING)
    return not owed(tries) and not any(one.state in open_states for one in tries)


def next_try(last: FrozenTrial) -> FrozenTrial:
    """Return a try that waits, with the values that the last one had drawn."""
    own = (WORKER, STOPPED)
    return create_trial(
        state=TrialState.WAITING,
        params=last.params,
        distributions=last.distributions,
        user_attrs={key: value for key, value in last.user_attrs.items() if key not in own},
        system_attrs=last.system_attrs,
    )
