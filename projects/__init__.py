"""What can be trained: each project's name in a config, what makes it, and what it reads."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cinelex.config.nearest import nearest
from cinelex.config.schedule import active_weights
from cinelex.config.schema import DataConfig, RunConfig, Schedule
from cinelex.core.errors import UserError
from cinelex.core.names import covered
from cinelex.projects.base import Project
from cinelex.projects.clipse import terms as clipse
from cinelex.projects.clipse.data import open_clipse_data
from cinelex.projects.clipse.project import ClipseProject
from cinelex.projects.eq import terms as eq
from cinelex.projects.eq.data import open_eq_data
from cinelex.projects.eq.project import EqProject
from cinelex.projects.latent import terms as latent
from cinelex.projects.latent.parts import make_engravings
from cinelex.projects.latent.project import LatentProject
from cinelex.projects.multitask import terms as multitask
from cinelex.projects.multitask.project import MultitaskProject
from cinelex.projects.names import check_names
from cinelex.projects.studies.data import open_study_data
from cinelex.projects.terms import Term


@dataclass(frozen=True)
class Entry:
    """A project as the table knows it."""

    open: Callable[[RunConfig, Path], Project[Any]]
    """From a config and the run's folder to a project with its data open."""
    reads: tuple[str, ...]
    """Keys and sections of a config that this project reads and not every other one does."""
    terms: Mapping[str, Term]
    """Every loss term that it records, by its name."""

    @property
    def weighted(self) -> list[str]:
        """Return the names that ``loss_weights`` may hold."""
        return [t.name for t in self.terms.values() if t.weight_section == "loss_weights"]


def _by_name(terms: tuple[Term, ...]) -> Mapping[str, Term]:
    return {term.name: term for term in terms}


def _multitask(config: RunConfig, folder: Path) -> Project[Any]:
    return MultitaskProject(config, open_study_data(config, folder))


def _eq(config: RunConfig, folder: Path) -> Project[Any]:
    return EqProject(config, open_eq_data(config, folder))


def _latent(config: RunConfig, folder: Path) -> Project[Any]:
    return LatentProject(config, open_study_data(config, folder, made=make_engravings))


def _clipse(config: RunConfig, folder: Path) -> Project[Any]:
    return ClipseProject(config, open_clipse_data(config, folder), folder)


TEMPERATURE = ("temperature", "learn_temperature", "temperature_range")

DATA_OF_FILES = tuple(
    f"data.{key}" for key in DataConfig.model_fields if key not in ("synthetic", "max_videos")
)
"""Everything about reading files that is not about studies of several videos."""

PROJECTS: dict[str, Entry] = {
    "multitask": Entry(
        _multitask,
        reads=(
            *("contrastive", *TEMPERATURE, "patch_contrastive_weight"),
            *("data", "tokenizer", "model"),
        ),
        terms=_by_name(multitask.TERMS),
    ),
    "eq": Entry(
        _eq,
        reads=("eq", "temperature", "data.cache"),
        terms=_by_name(eq.TERMS),
    ),
    "latent": Entry(
        _latent,
        reads=(
            *("contrastive", *TEMPERATURE, "tokenizer", "latent"),
            *(f"data.{key}" for key in DataConfig.model_fields if key != "synthetic"),
            *("model.width", "model.dim", "model.video_encoder", "model.text_encoder"),
            "model.caption_decoder",
        ),
        terms=_by_name(latent.TERMS),
    ),
    "clipse": Entry(
        _clipse,
        reads=("clipse", *TEMPERATURE, *DATA_OF_FILES, "tokenizer", "model"),
        terms=_by_name(clipse.TERMS),
    ),
}
"""The projects by their name in a config."""


def open_project(config: RunConfig, folder: Path) -> Project[Any]:
    """Return the project that the config names.

    Raises:
        UserError: There is no such project, the config sets what it does not read, or its data
            cannot be used.
    """
    check_project(config)
    return PROJECTS[config.project].open(config, folder)


def check_project(config: RunConfig) -> None:
    """Refuse projects and parts that there are not, and what is set and only others read.

    Raises:
        UserError: Names the key, and what the project reads instead.
    """
    if config.project not in PROJECTS:
        raise UserError(f"project: {config.project!r} is none of {', '.join(sorted(PROJECTS))}")
    check_names(config)
    own, name = PROJECTS[config.project], config.project
    _check_weights(config, own)
    some = {key for entry in PROJECTS.values() for key in entry.reads}
    default = RunConfig(name="default", steps=1, batch=2, loss_weights={own.weighted[0]: 1.0})
    standard = dict(_leaves(default.model_dump(mode="json")))
    for key, value in _leaves(config.model_dump(mode="json")):
        unread = covered(key, some) and not covered(key, own.reads)
        if unread and value != standard.get(key):
            raise UserError(
                f"{key}: project {name} does not read it, so leave it out; it reads "
                f"{', '.join(own.reads)}"
            )


def _check_weights(config: RunConfig, own: Entry) -> None:
    """Refuse weights of terms that the project does not have, and a contrast of one sample."""
    foreign = sorted(set(config.loss_weights) - set(own.weighted))
    if foreign:
        near = nearest(foreign[0], own.weighted)
        raise UserError(
            f"loss_weights.{foreign[0]}: project {config.project} has no such term; "
            + (f"did you mean loss_weights.{near}? " if near else "")
            + f"there are {', '.join(own.weighted)}"
        )
    contrasts = [name for name in active_weights(config) if own.terms[name].divided_by_temperature]
    if contrasts and config.batch < 2:
        raise UserError(f"batch must be at least 2 for the {contrasts[0]} term, got {config.batch}")


def weight_keys() -> list[str]:
    """Return every key below ``loss_weights`` that a config of some project may have."""
    names = dict.fromkeys(name for entry in PROJECTS.values() for name in entry.weighted)
    ends = ("", *(f".{key}" for key in Schedule.model_fields))
    return [f"loss_weights.{name}{end}" for name in names for end in ends]


def _leaves(section: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every dotted key that is no section, with its value."""
    for name, value in section.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value
