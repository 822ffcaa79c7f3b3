"""What can be trained: each project's entry by its name in a config."""

from pathlib import Path
from typing import Any

from cinelex.config.build import build_at
from cinelex.config.flat import flat
from cinelex.config.nearest import nearest
from cinelex.config.schedule import active_weights
from cinelex.config.schema import RunConfig, Schedule
from cinelex.core.distributed import world_size
from cinelex.core.errors import UserError
from cinelex.core.names import covered
from cinelex.data.text.tokenizer import Tokenizer
from cinelex.losses import BALANCES
from cinelex.models.study_model import StudyModel
from cinelex.projects.clipse.entry import ENTRY as CLIPSE
from cinelex.projects.eq.entry import ENTRY as EQ
from cinelex.projects.interface.project import Entry, Project
from cinelex.projects.interface.towers import Towers
from cinelex.projects.latent.entry import ENTRY as LATENT
from cinelex.projects.multitask.entry import ENTRY as MULTITASK
from cinelex.projects.names import check_names
from cinelex.projects.probing.entry import ENTRY as PROBING

PROJECTS: dict[str, Entry] = {
    "multitask": MULTITASK,
    "eq": EQ,
    "latent": LATENT,
    "clipse": CLIPSE,
    "probing": PROBING,
}
"""The projects by their name in a config."""


def open_project(config: RunConfig, folder: Path, output: Path | None = None) -> Project[Any, Any]:
    """Return the project that the config names.

    Args:
        config: The run.
        folder: The run's folder, with what it keeps.
        output: Where lists of this use of it are written; None takes the run's folder.

    Raises:
        UserError: There is no such project, the config sets what it does not read, or its data
            cannot be used.
    """
    check_project(config)
    return PROJECTS[config.project].open(config, folder, output)


def rehearse(config: RunConfig) -> None:
    """Build what the config describes and try it on made-up input, before any data is read.

    Raises:
        UserError: Names the key of what does not fit.
    """
    check_project(config)
    smallest, cut = config.batch // world_size(), config.gradient_accumulation_steps
    if smallest < cut:
        raise UserError(
            f"gradient_accumulation_steps: {config.batch} studies over {world_size()} processes "
            f"leave {smallest} to some, which cannot be cut into {cut} micro-batches; raise batch "
            "or lower gradient_accumulation_steps"
        )
    PROJECTS[config.project].rehearse(config)


def build_study_model(
    config: RunConfig, tokenizer: Tokenizer, towers: Towers | None = None
) -> StudyModel:
    """Return the model that a config describes, freshly initialised, without any data.

    Args:
        config: The run.
        tokenizer: What reads its reports.
        towers: What a run that was trained kept of its towers.

    Raises:
        UserError: The project trains no model of studies and reports.
    """
    build = PROJECTS[config.project].study_model if config.project in PROJECTS else None
    if build is None:
        there = sorted(name for name, entry in PROJECTS.items() if entry.study_model is not None)
        raise UserError(
            f"project {config.project} has no model of studies and reports; there are "
            f"{', '.join(there)}"
        )
    return build(config, tokenizer, towers)


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
    standard = flat(default)
    for key, value in flat(config).items():
        unread = covered(key, some) and not covered(key, own.reads)
        if unread and value != standard.get(key):
            raise UserError(
                f"{key}: project {name} does not read it, so leave it out; it reads "
                f"{', '.join(own.reads)}"
            )


def _check_weights(config: RunConfig, own: Entry) -> None:
    """Refuse weights of terms that the project does not have, and what does not fit them."""
    foreign = sorted(set(config.loss_weights) - set(own.weighted))
    if foreign:
        near = nearest(foreign[0], own.weighted)
        raise UserError(
            f"loss_weights.{foreign[0]}: project {config.project} has no such term; "
            + (f"did you mean loss_weights.{near}? " if near else "")
            + f"there are {', '.join(own.weighted)}"
        )
    active = list(active_weights(config))
    if config.balance.name != "fixed" and len(active) < 2:
        raise UserError(
            f"balance.name={config.balance.name} balances two loss terms or more, and only "
            f"{', '.join(active)} has a weight; weigh another one, or leave balance out"
        )
    build_at("balance", BALANCES, config.balance, names=active)
    contrasts = [name for name in active if own.terms[name].contrast]
    if contrasts and config.batch < 2:
        raise UserError(f"batch must be at least 2 for the {contrasts[0]} term, got {config.batch}")


def weight_keys() -> list[str]:
    """Return every key below ``loss_weights`` that a config of some project may have."""
    names = dict.fromkeys(name for entry in PROJECTS.values() for name in entry.weighted)
    ends = ("", *(f".{key}" for key in Schedule.model_fields))
    return [f"loss_weights.{name}{end}" for name in names for end in ends]
