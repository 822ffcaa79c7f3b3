"""What can be trained: each project's name in a config, and what makes it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from config.schema import RunConfig
from core.errors import UserError
from projects.base import Project
from projects.multitask_pretraining import MultitaskPretraining
from projects.study_data import open_study_data


def _multitask_pretraining(config: RunConfig, folder: Path) -> Project[Any]:
    return MultitaskPretraining(config, open_study_data(config, folder))


PROJECTS: dict[str, Callable[[RunConfig, Path], Project[Any]]] = {
    "multitask_pretraining": _multitask_pretraining,
}
"""From a config and the run's folder to a project with its data open."""


def open_project(config: RunConfig, folder: Path) -> Project[Any]:
    """Return the project that the config names.

    Raises:
        UserError: There is no such project, or its data cannot be used.
    """
    if config.project not in PROJECTS:
        raise UserError(f"project: {config.project!r} is none of {', '.join(sorted(PROJECTS))}")
    return PROJECTS[config.project](config, folder)
