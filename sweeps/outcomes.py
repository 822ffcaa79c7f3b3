"""What came out of a sweep so far: one record a configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState
from pydantic import JsonValue

from cinelex.sweeps.objectives import Score, better
from cinelex.sweeps.plan import Metric
from cinelex.sweeps.queues import Queues
from cinelex.sweeps.settings import Sweep
from cinelex.sweeps.task import Recipe
from cinelex.sweeps.tickets import ERROR, owed, tries_of

State = Literal["complete", "pruned", "failed", "running", "waiting"]
STATES: Mapping[TrialState, State] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}
ORDER: Sequence[State] = ("complete", "pruned", "running", "waiting", "failed")
"""Of the tries of one configuration, the first in this order tells how it stands."""
WINNER = "winner"
"""The ticket that the final runs take for the best, kept with their queue."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One configuration, and how it did."""

    ticket: int
    recipe: Recipe
    state: State
    values: Mapping[str, JsonValue]
    """What the swept keys were; empty for the default recipe."""
    scores: Mapping[str, Score]
    """Each objective by its name; empty unless complete."""
    seed: int | None
    """Of a final run."""
    runs: Sequence[str]
    """Folders of its runs."""
    seconds: float | None
    """Time of its runs together."""
    tries: int
    """Times that it was begun."""
    curve: Mapping[int, float]
    """The first objective by the number of validations; empty without a pruner."""
    record: str | None
    """Hash of what its first run recorded."""
    error: str
    """Why it failed."""

    @property
    def label(self) -> str:
        """Return its name for people."""
        return "default recipe" if self.recipe == "default" else f"configuration {self.ticket}"


def outcomes(study: Study) -> list[Outcome]:
    """Return one outcome for every ticket of a queue, in order."""
    tries = tries_of(study)
    return [_outcome(ticket, tries[ticket]) for ticket in sorted(tries)]


def _outcome(ticket: int, tries: Sequence[FrozenTrial]) -> Outcome:
    trial = min(tries, key=lambda one: ORDER.index(STATES[one.state]))
    told: Mapping[str, Any] = trial.user_attrs
    complete = trial.state == TrialState.COMPLETE
    state = "waiting" if owed(tries) else STATES[trial.state]
    scores = {name: Score(**score) for name, score in told.get("scores", {}).items()}
    return Outcome(
        ticket=ticket,
        recipe=told["recipe"],
        state=state,
        values=told.get("values", {}),
        scores=scores if complete else {},
        seed=told.get("seed"),
        runs=told.get("runs", []),
        seconds=told.get("seconds"),
        tries=sum(one.state != TrialState.WAITING for one in tries),
        curve=trial.intermediate_values,
        record=told.get("record"),
        error=told.get(ERROR, "its worker died too often") if state == "failed" else "",
    )


def best(found: Sequence[Outcome], metric: Metric) -> Outcome | None:
    """Return the complete outcome with the best score; of equal ones, the first."""
    leader: Outcome | None = None
    for one in found:
        if one.state != "complete":
            continue
        if leader is None or better(
            metric.goal, one.scores[metric.name].value, leader.scores[metric.name].value
        ):
            leader = one
    return leader


def winner(sweep: Sweep, queues: Queues) -> Outcome | None:
    """Return the configuration that did best in the search, or None where none is complete.

    Once the final runs have begun it is the one that they are runs of: configurations may be
    added later, and one of those may do better.
    """
    search = outcomes(queues.search)
    kept = queues.final.user_attrs.get(WINNER)
    if kept is None:
        return best(search, sweep.settings.metrics[0])
    return next(one for one in search if one.ticket == kept)


def pareto_front(found: Sequence[Outcome], metrics: Sequence[Metric]) -> list[Outcome]:
    """Return the complete outcomes that none beats in one objective without losing in another."""
    complete = [one for one in found if one.state == "complete"]

    def beats(one: Outcome, other: Outcome) -> bool:
        pairs = [
            (metric.goal, one.scores[metric.name].value, other.scores[metric.name].value)
            for metric in metrics
        ]
        return any(better(*pair) for pair in pairs) and not any(
            better(goal, second, first) for goal, first, second in pairs
        )

    return [one for one in complete if not any(beats(other, one) for other in complete)]


def twins(found: Sequence[Outcome]) -> list[tuple[Outcome, Outcome]]:
    """Return pairs of different configurations whose runs recorded the same to the bit.

    Either no key that differs reaches the training, or the command did not pass it on.
    """
    first: dict[str, Outcome] = {}
    pairs = []
    for one in found:
        if one.record is None:
            continue
        other = first.setdefault(one.record, one)
        if dict(other.values) != dict(one.values):
            pairs.append((other, one))
    return pairs
