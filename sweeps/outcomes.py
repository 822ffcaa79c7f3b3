"""What a configuration is judged by, and what came out of each: one record a configuration."""

import json
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState, create_trial
from pydantic import JsonValue

from cinelex.config.nearest import hint
from cinelex.core.errors import UserError
from cinelex.core.files import read_json
from cinelex.core.locks import in_use
from cinelex.metrics.seeds import student_interval
from cinelex.projects.interface.results import Results, Score, nulls_of, read_results
from cinelex.runners.record import record_hash, validations
from cinelex.sweeps.plan import Metric
from cinelex.sweeps.settings import Recipe, Sweep, Task
from cinelex.sweeps.studies import Studies
from cinelex.sweeps.training import POLL_S

NOTES = "agents"
"""Folder of what W&B's agents note of their runs."""


def plain_name(name: str) -> str:
    """Return the name of an objective without the ``val/`` that many logs put before it."""
    return name.removeprefix("val/").removeprefix("validation/")


def refuse_unknown(metric: Metric, names: Sequence[str]) -> None:
    """Refuse an objective that no run leaves behind.

    Raises:
        UserError: ``names`` does not hold it; the message has the nearest that it does hold.
    """
    name = plain_name(metric.name)
    if name not in names:
        raise UserError(f"metric {metric.name}: no such number; {hint(name, names)}")


def names_of(results: Results) -> list[str]:
    """Return the name of every score that a sweep can look for."""
    return [score.name.replace(".", "/") for score in results.scores()]


def judged(sweep: Sweep, tasks: Sequence[Task]) -> tuple[list[float], dict[str, Any]]:
    """Return a configuration's objectives over its finished runs, and what its trial notes of them.

    Raises:
        UserError: A run does not have an objective.
    """
    scores = [
        _mean(metric, [_score(sweep, task, metric) for task in tasks])
        for metric in sweep.settings.metrics
    ]
    found = {score.name: score.as_json() for score in scores}
    record = record_hash(sweep.trials / tasks[0].name)
    values = [score.value for score in scores if score.value is not None]
    return values, {"scores": found, "record": record}


def score_of(metric: Metric, values: Sequence[float], null: float | None, name: str) -> Score:
    """Return the mean of an objective over seeds, with its Student interval and one null."""
    low, high = student_interval(values)
    nulls = {} if null is None else nulls_of({name: null})
    about: Mapping[str, Any] = {"name": metric.name, "label": metric.name.rpartition("/")[2]}
    value = statistics.fmean(values)
    return Score(**about, value=value, low=low, high=high, nulls=nulls, better=metric.better)


def _mean(metric: Metric, scores: Sequence[Score]) -> Score:
    """Return the mean over seeds; a single one keeps its own interval, over held-out items.

    Its null is chance, or the best of the baselines that look at nothing.
    """
    values = [score.value for score in scores if score.value is not None]
    nulls = [null for score in scores if (null := _null(score)) is not None]
    mean = score_of(metric, values, statistics.fmean(nulls) if nulls else None, "null")
    return mean if len(values) > 1 else replace(mean, low=scores[0].low, high=scores[0].high)


def _score(sweep: Sweep, task: Task, metric: Metric) -> Score:
    """Return what a run is judged by: before the last comparison, validation studies only."""
    folder, plain = sweep.trials / task.name, plain_name(metric.name)
    if task.on_test or sweep.settings.validation_results:
        results = read_results(folder)
        if results is None:
            raise UserError(f"{folder}: holds no results; delete the folder to have it run again")
        refuse_unknown(metric, names_of(results))
        score = next(one for one in results.scores() if one.name == plain.replace("/", "."))
    else:
        row = (validations(folder / "metrics.jsonl") or [{}])[-1]
        refuse_unknown(metric, list(row))
        nulls = nulls_of({"chance": row.get(f"{plain}/chance")})
        score = Score(name=plain, label=plain, value=row[plain], nulls=nulls)
    if score.value is None:
        raise UserError(f"metric {metric.name} is undefined in the results of {task.name}")
    return score


def _null(score: Score) -> float | None:
    values = {name: null.value for name, null in score.nulls.items() if null.value is not None}
    best = min if score.better == "lower" else max
    return values.get("chance", best(values.values(), default=None))


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One configuration, and how it did."""

    number: int
    state: str
    """``complete``, ``pruned``, ``fail``, ``running`` or ``waiting``."""
    curve: Mapping[int, float]
    """The first objective by the number of validations; empty without a pruner."""
    scores: Mapping[str, Score]
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

    def summary(self) -> str:
        """Return what it is and how it did, as one line."""
        shown = {
            key: f"{value:.4g}" if isinstance(value, float) else json.dumps(value)
            for key, value in self.values.items()
        }
        values = ", ".join(f"{key}={value}" for key, value in shown.items()) or "base config"
        seed = "" if self.seed is None else f"{self.recipe} on the test studies, seed {self.seed}"
        ended = {
            "complete": ", ".join(f"{name} {one.value:.4g}" for name, one in self.scores.items()),
            "pruned": f"ended early after {len(self.curve)} validations",
            "fail": f"failed: {self.error}",
        }.get(self.state, self.state)
        begun = f"; begun {self.begun} times" if self.begun > 1 else ""
        return f"{seed or self.label}: {ended} ({values}{begun})"

    def value(self, name: str) -> float:
        """Return its value of an objective; it has to be complete."""
        value = self.scores[name].value
        assert value is not None
        return value

    def gain(self, metric: Metric) -> float:
        """Return its value of an objective, of which more is better."""
        return self.value(metric.name) * (1 if metric.better == "higher" else -1)


def outcome(trial: FrozenTrial) -> Outcome:
    """Return what a trial says of its configuration."""
    noted: dict[str, Any] = {"values": {}, "scores": {}, **trial.user_attrs}
    noted["scores"] = {name: Score.from_json(name, one) for name, one in noted["scores"].items()}
    fields = {key: noted[key] for key in Outcome.__dataclass_fields__ if key in noted}
    state, curve = trial.state.name.lower(), trial.intermediate_values
    return Outcome(number=trial.number, state=state, curve=curve, **fields)


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


def twins(found: Sequence[Outcome]) -> list[tuple[Outcome, Outcome]]:
    """Return pairs of different configurations whose runs recorded the same to the bit.

    Either no key that differs reaches the training, or the command did not pass it on.
    """
    first: dict[str, Outcome] = {}
    recorded = [(first.setdefault(one.record, one), one) for one in found if one.record]
    return [(one, other) for one, other in recorded if dict(one.values) != dict(other.values)]


def note_of(sweep: Sweep, name: str) -> Path:
    """Return where an agent leaves a note of its run."""
    return sweep.folder / NOTES / f"{name}.json"


def read_back(studies: Studies) -> None:
    """Enter what the agents of all nodes have trained among the configurations, once.

    Waits for runs that still go on, on whatever node; on a disk that shows locks to all of them.
    """
    sweep = studies.sweep
    known = {run for one in studies.search.trials for run in one.user_attrs.get("runs", [])}
    for path in sorted((sweep.folder / NOTES).glob("*.json")):
        while in_use(sweep.trials / path.stem):
            time.sleep(POLL_S)
        if path.stem not in known:
            studies.search.add_trial(_trial(sweep, path.stem, read_json(path)))


def _trial(sweep: Sweep, name: str, note: Mapping[str, Any]) -> FrozenTrial:
    """Return a run as a trial: complete, failed with its reason, or ended early by the server."""
    attributes = {"recipe": "search", "runs": [name], "begun": 1, **note}
    if "error" in note:
        return create_trial(state=TrialState.FAIL, user_attrs=attributes)
    if not (sweep.trials / name / "results.json").exists():
        return create_trial(state=TrialState.PRUNED, user_attrs=attributes)
    try:
        values, found = judged(sweep, [Task(name, note["values"], sweep.base.seed)])
    except UserError as error:
        return create_trial(state=TrialState.FAIL, user_attrs={**attributes, "error": str(error)})
    return create_trial(values=values, user_attrs={**attributes, **found})
