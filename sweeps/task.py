"""One run of a sweep: its values, its seed, and the config that must come out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import JsonValue

from cinelex.config.load import load_config
from cinelex.config.schema import RunConfig
from cinelex.core.errors import UserError
from cinelex.sweeps.settings import BASE_FILE, Sweep

Recipe = Literal["default", "search", "winner"]
"""The base config, a configuration that is tried, and the best of those in the last comparison."""


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
        kept["data.test_split"] = sweep.base.data.validation_split
    return [f"{key}={json.dumps(value)}" for key, value in kept.items()]


def expected_config(sweep: Sweep, task: Task) -> RunConfig:
    """Return the config that a task's run has to resolve to.

    Raises:
        UserError: The schema refuses it.
    """
    return load_config(sweep.folder / BASE_FILE, overrides(sweep, task))


def check_recorded(sweep: Sweep, task: Task) -> None:
    """Compare the config that a run left in its folder with what was asked for.

    Raises:
        UserError: They differ, so that the run was not the one that it would be recorded as.
    """
    path = sweep.trials / task.name / "config.yaml"
    wrong = differing(sweep, task, load_config(path))
    if wrong:
        raise UserError(f"{path}: {wrong}; the command did not pass the arguments on")


def differing(sweep: Sweep, task: Task, ran: RunConfig) -> str:
    """Return where a config is not what was asked for, swept keys first; empty where it is."""
    asked, got = flat(expected_config(sweep, task)), flat(ran)
    for key in (*task.values, *asked, *got):
        if asked.get(key) != got.get(key):
            return f"{key} is {got.get(key)!r} where {asked.get(key)!r} was asked for"
    return ""


def flat(config: RunConfig) -> dict[str, Any]:
    """Return every value of a config by its dotted key; lists are values."""
    return dict(_leaves(config.model_dump(mode="json"), ""))


def _leaves(value: Any, prefix: str) -> list[tuple[str, Any]]:
    if not isinstance(value, dict) or not value:
        return [(prefix.removesuffix("."), value)]
    return [leaf for key, inner in value.items() for leaf in _leaves(inner, f"{prefix}{key}.")]
