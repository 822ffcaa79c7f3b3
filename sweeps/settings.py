"""What one sweep is, kept in its folder, and what each of its runs is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import JsonValue

from cinelex.config.flat import flat
from cinelex.config.load import dump_config, load_config
from cinelex.config.schema import RunConfig
from cinelex.config.strict import Count, CountOrZero, Strict
from cinelex.core.errors import UserError
from cinelex.core.files import read_json, write_json, write_whole
from cinelex.sweeps.plan import Metric, Plan, read_plan

PLAN_FILE, BASE_FILE, SETTINGS_FILE = "sweep.yaml", "base.yaml", "settings.json"
STUDY_FILE = "sweep.sqlite"
"""Optuna's studies; until nothing was refused it is not there, and the folder may be made anew."""
FINAL_SEED_OFFSET = 1000
"""Final runs have seeds that no trial had: a lucky seed must not win twice."""

Recipe = Literal["default", "search", "winner"]
"""The base config, a configuration that is tried, and the best of those in the last comparison."""


class Settings(Strict):
    """What the command line decides, next to the sweep file."""

    sampler: Literal["tpe", "cmaes", "random", "grid"]
    """Who chooses the next values."""
    pruner: Literal["none", "hyperband", "successive_halving", "median"]
    """Who ends a bad trial early."""
    metrics: list[Metric]
    """What is looked for; the first decides who wins."""
    count: Count
    """Configurations that are tried, without the default recipe."""
    seeds: Count
    """Runs of each configuration; a configuration's value is their mean."""
    final_seeds: CountOrZero
    """Runs of the winner and of the default recipe on the test studies, at new seeds."""
    validation_results: bool = True
    """Whether a run can be evaluated on its validation studies; where not, what is looked for
    must be in the validation record."""

    def lasting(self) -> dict[str, Any]:
        """Return what must not change while a sweep goes on: all but how many are tried."""
        return self.model_dump(mode="json", exclude={"count"})


class Sweep:
    """A sweep's folder: its plan, its base config, its settings."""

    def __init__(self, folder: Path) -> None:
        """Read what `create` wrote.

        Raises:
            UserError: A file is missing or broken.
        """
        self.folder, self.name, self.trials = folder, folder.name, folder / "trials"
        self.plan = read_plan(folder / PLAN_FILE)
        self.base = load_config(folder / BASE_FILE)
        self.settings = Settings.model_validate(read_json(folder / SETTINGS_FILE))

    def search_seeds(self) -> list[int]:
        """Return the seeds of every configuration: the same ones, hence the same data order."""
        return [self.base.seed + offset for offset in range(self.settings.seeds)]

    def final_seeds(self) -> list[int]:
        """Return the seeds of the final runs."""
        first = self.base.seed + FINAL_SEED_OFFSET
        return [first + offset for offset in range(self.settings.final_seeds)]


def create(folder: Path, plan: Plan, base: RunConfig, settings: Settings, *, resume: bool) -> Sweep:
    """Make a sweep's folder, or with ``resume`` go back to it.

    Raises:
        UserError: There is a sweep already and ``resume`` is not set, or it is another one.
    """
    source, config = Path(plan.source).read_bytes(), dump_config(base)
    if (folder / STUDY_FILE).exists():
        if not resume:
            raise UserError(
                f"{folder} holds a sweep already; add --resume to continue it, or give this one "
                "another name: in the sweep file"
            )
        same = {
            "sweep file": source == (folder / PLAN_FILE).read_bytes(),
            "base config": config == (folder / BASE_FILE).read_text(),
            "choice of options": settings.lasting() == Sweep(folder).settings.lasting(),
        }
        for what, kept in same.items():
            if not kept:
                raise UserError(
                    f"{folder}: the {what} has changed since this sweep began; bring it back, or "
                    "take another name: in the sweep file"
                )
    write_whole(folder / PLAN_FILE, source)
    write_whole(folder / BASE_FILE, config)
    write_json(folder / SETTINGS_FILE, settings.model_dump(mode="json"))
    return Sweep(folder)


@dataclass(frozen=True)
class Task:
    """One training run."""

    name: str
    """Its folder below the sweep's ``trials``."""
    values: Mapping[str, JsonValue]
    """What the swept keys are; empty for the default recipe."""
    seed: int
    on_test: bool = False
    """Whether it is scored on the test studies; while choosing, never."""
    use_wandb: bool = False
    """Whether it sends its scalars to Weights & Biases."""


def tasks_of(
    sweep: Sweep,
    recipe: Recipe,
    number: int,
    values: Mapping[str, JsonValue],
    final_seed: int | None = None,
) -> list[Task]:
    """Return the runs of a configuration, all judged on the validation studies; or a final one."""
    if final_seed is not None:
        return [Task(f"final-{recipe}-seed{final_seed}", values, final_seed, on_test=True)]
    head, seeds = f"{recipe}-{number:03d}", sweep.search_seeds()
    return [Task(f"{head}-seed{seed}", values, seed) for seed in seeds]


def overrides(sweep: Sweep, task: Task) -> list[str]:
    """Return the ``key.path=value`` arguments that make the base config this task's."""
    own: dict[str, JsonValue] = {"name": task.name, "folder": str(sweep.trials), "seed": task.seed}
    kept = {**task.values, **own}
    if task.use_wandb:
        kept["use_wandb"] = True
    if not task.on_test and sweep.settings.validation_results:
        kept["data.test_split"] = sweep.base.data.validation_split or "val"
    return [f"{key}={json.dumps(value)}" for key, value in kept.items()]


def expected_config(sweep: Sweep, task: Task) -> RunConfig:
    """Return the config that a task's run has to resolve to.

    Raises:
        UserError: The schema refuses it.
    """
    return load_config(sweep.folder / BASE_FILE, overrides(sweep, task))


def check_recorded(sweep: Sweep, task: Task, path: Path | None = None) -> None:
    """Compare a config that the program wrote with what it was asked for, swept keys first.

    Args:
        sweep: The sweep.
        task: What was asked for.
        path: The config; None for what a run left in its folder.

    Raises:
        UserError: They differ, so that the run was not the one that it would be recorded as.
    """
    path = path or sweep.trials / task.name / "config.yaml"
    asked, got = flat(expected_config(sweep, task)), flat(load_config(path))
    for key in (*task.values, *asked, *got):
        if asked.get(key) != got.get(key):
            raise UserError(
                f"{path}: {key} is {got.get(key)!r} where {asked.get(key)!r} was asked for; the "
                "command does not pass its arguments on, so every trial would be the same run"
            )
