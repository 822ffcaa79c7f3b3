"""What came out of a sweep so far: one record a configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState
from pydantic import JsonValue

from cinelex.sweeps.objectives import better
from cinelex.sweeps.plan import Metric
from cinelex.sweeps.scores import Mean
from cinelex.sweeps.studies import Studies
from cinelex.sweeps.task import Recipe

State = Literal["complete", "pruned", "failed", "running", "waiting"]
STATES: Mapping[TrialState, State] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One configuration, and how it did."""

    number: int
    recipe: Recipe
    state: State
    values: Mapping[str, JsonValue]
    """What the swept keys were; empty for the default recipe."""
    scores: Mapping[str, Mean]
    """Each objective by its name; empty unless complete."""
    seed: int | None
    """Of a final run."""
    runs: Sequence[str]
    """Folders of its runs."""
    seconds: float | None
    """Time of its runs together."""
    begun: int
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
        return "default recipe" if self.recipe == "default" else f"configuration {self.number}"

    def score(self, metric: Metric) -> float:
        """Return its value of an objective; it has to be complete."""
        return self.scores[metric.name].value


def outcome(trial: FrozenTrial) -> Outcome:
    """Return what a trial says of its configuration."""
    told: Mapping[str, Any] = trial.user_attrs
    scores: Mapping[str, Any] = told.get("scores", {})
    return Outcome(
        number=trial.number,
        recipe=told["recipe"],
        state=STATES[trial.state],
        values=told.get("values", {}),
        scores={name: Mean(**entry) for name, entry in scores.items()},
        seed=told.get("seed"),
        runs=told.get("runs", []),
        seconds=told.get("seconds"),
        begun=told.get("begun", 0),
        curve=trial.intermediate_values,
        record=told.get("record"),
        error=told.get("error", ""),
    )


def outcomes(study: Study) -> list[Outcome]:
    """Return one outcome for every configuration of a study, in order."""
    return [outcome(trial) for trial in study.get_trials(deepcopy=False)]


def best(found: Sequence[Outcome], metric: Metric) -> Outcome | None:
    """Return the complete outcome with the best score; of equal ones, the first."""
    leader: Outcome | None = None
    for one in found:
        if one.state == "complete" and (
            leader is None or better(metric.goal, one.score(metric), leader.score(metric))
        ):
            leader = one
    return leader


def winner(studies: Studies) -> Outcome | None:
    """Return the configuration that did best in the search, or None where none is complete.

    Once the final runs have begun it is the one that they are runs of: configurations may be
    added later, and one of those may do better.
    """
    search = outcomes(studies.search)
    for final in studies.final.get_trials(deepcopy=False):
        return search[final.user_attrs["winner"]]
    return best(search, studies.sweep.settings.metrics[0])


def pareto_front(found: Sequence[Outcome], metrics: Sequence[Metric]) -> list[Outcome]:
    """Return the complete outcomes that none beats in one objective without losing in another."""
    complete = [one for one in found if one.state == "complete"]

    def beats(one: Outcome, other: Outcome) -> bool:
        pairs = [(metric.goal, one.score(metric), other.score(metric)) for metric in metrics]
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
        if one.record is not None:
            other = first.setdefault(one.record, one)
            if dict(other.values) != dict(one.values):
                pairs.append((other, one))
    return pairs
