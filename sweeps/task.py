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
    return [
        Task(f"{recipe}-{number:03d}-seed{seed}", values, seed) for seed in sweep.search_seeds()
    ]


def overrides(sweep: Sweep, task: Task) -> list[str]:
    """Return the ``key.path=value`` arguments that make the base config this task's."""
    kept: dict[str, JsonValue] = {
        **task.values,
        "name": task.name,
        "folder": str(sweep.trials),
        "seed": task.seed,
    }
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
    asked, ran = flat(expected_config(sweep, task)), flat(load_config(path))
    wrong = sorted(key for key in asked.keys() | ran.keys() if asked.get(key) != ran.get(key))
    if wrong:
        key = next((key for key in wrong if key in task.values), wrong[0])
        raise UserError(
            f"{path}: {key} is {ran.get(key)!r} where {asked.get(key)!r} was asked for; the "
            "command did not pass the arguments on"
        )


def flat(config: RunConfig) -> dict[str, Any]:
    """Return every value of a config by its dotted key; lists are values."""
    return dict(_leaves(config.model_dump(mode="json"), ""))


def _leaves(value: Any, prefix: str) -> list[tuple[str, Any]]:
    if not isinstance(value, dict) or not value:
        return [(prefix.removesuffix("."), value)]
    return [leaf for key, inner in value.items() for leaf in _leaves(inner, f"{prefix}{key}.")]
