"""What came out of a sweep so far: one record a configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optuna.study import Study
from optuna.trial import FrozenTrial
from pydantic import JsonValue

from cinelex.sweeps.plan import Metric
from cinelex.sweeps.scores import Mean
from cinelex.sweeps.settings import Recipe
from cinelex.sweeps.studies import Studies


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One configuration, and how it did."""

    number: int
    state: str
    """``complete``, ``pruned``, ``fail``, ``running`` or ``waiting``."""
    curve: Mapping[int, float]
    """The first objective by the number of validations; empty without a pruner."""
    scores: Mapping[str, Mean]
    """Each objective by its name; empty unless complete."""
    recipe: Recipe
    values: Mapping[str, JsonValue]
    """What the swept keys were; empty for the default recipe."""
    runs: Sequence[str] = ()
    """Folders of its runs."""
    begun: int = 0
    """Times that it was begun."""
    seed: int | None = None
    """Of a final run."""
    seconds: float | None = None
    """Time of its runs together."""
    record: str | None = None
    """Hash of what its first run recorded."""
    error: str = ""
    """Why it failed."""

    @property
    def label(self) -> str:
        """Return its name for people."""
        return "default recipe" if self.recipe == "default" else f"configuration {self.number}"

    def gain(self, metric: Metric) -> float:
        """Return its value of an objective, of which more is better; it has to be complete."""
        value = self.scores[metric.name].value
        return value if metric.goal == "maximize" else -value


def outcome(trial: FrozenTrial) -> Outcome:
    """Return what a trial says of its configuration."""
    told: Mapping[str, Any] = {"values": {}, "scores": {}, **trial.user_attrs}
    fields = {key: told[key] for key in Outcome.__dataclass_fields__ if key in told}
    return Outcome(
        number=trial.number,
        state=trial.state.name.lower(),
        curve=trial.intermediate_values,
        **{**fields, "scores": {name: Mean(**mean) for name, mean in told["scores"].items()}},
    )


def outcomes(study: Study) -> list[Outcome]:
    """Return one outcome for every configuration of a study, in order."""
    return [outcome(trial) for trial in study.trials]


def complete(found: Sequence[Outcome]) -> list[Outcome]:
    """Return those that have scores."""
    return [one for one in found if one.state == "complete"]


def best(found: Sequence[Outcome], metric: Metric) -> Outcome | None:
    """Return the complete outcome with the best score; of equal ones, the first."""
    return max(complete(found), key=lambda one: one.gain(metric), default=None)


def winner(studies: Studies) -> Outcome | None:
    """Return the configuration that did best in the search, or None where none is complete.

    Once the final runs have begun it is the one that they are runs of: configurations may be
    added later, and one of those may do better.
    """
    search = outcomes(studies.search)
    for final in studies.final.trials:
        return search[final.user_attrs["winner"]]
    return best(search, studies.sweep.settings.metrics[0])


def pareto_front(found: Sequence[Outcome], metrics: Sequence[Metric]) -> list[Outcome]:
    """Return the complete outcomes that none beats in one objective without losing in another."""

    def gains(one: Outcome) -> list[float]:
        return [one.gain(metric) for metric in metrics]

    def beats(one: Outcome, other: Outcome) -> bool:
        pairs = [*zip(gains(one), gains(other), strict=True)]
        return all(mine >= its for mine, its in pairs) and any(mine > its for mine, its in pairs)

    done = complete(found)
    return [one for one in done if not any(beats(other, one) for other in done)]


def twins(found: Sequence[Outcome]) -> list[tuple[Outcome, Outcome]]:
    """Return pairs of different configurations whose runs recorded the same to the bit.

    Either no key that differs reaches the training, or the command did not pass it on.
    """
    first: dict[str, Outcome] = {}
    recorded = [(first.setdefault(one.record, one), one) for one in found if one.record]
    return [(one, other) for one, other in recorded if dict(one.values) != dict(other.values)]
