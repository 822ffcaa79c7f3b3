"""W&B's server as the one who chooses: a sweep made or gone on with, values checked, scores read.

Nothing that the server sends is ever executed: it chooses values, and only those of the sweep file.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import wandb
from optuna.trial import FrozenTrial, TrialState, create_trial
from pydantic import JsonValue

from cinelex.config.strict_yaml import read_yaml
from cinelex.core.errors import UserError
from cinelex.core.files import read_json, write_whole
from cinelex.core.locks import in_use
from cinelex.sweeps import training
from cinelex.sweeps.plan import Plan
from cinelex.sweeps.scores import means
from cinelex.sweeps.settings import PLAN_FILE, Sweep, Task
from cinelex.sweeps.studies import Studies

PROJECT, ID_FILE, NOTES = "cinelex", "wandb-sweep", "agents"
RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
FILE_KEYS_KEPT_HERE = ("program", "command", "project", "entity")
"""What the server is not told: nobody but this program's own agents runs a trial."""


def logged_in() -> bool:
    """Return whether W&B has a key for its server."""
    return bool(wandb.login(prompt=False))


def made_sweep(sweep: Sweep) -> str:
    """Return the sweep on the server that this folder's driver has made: ``[entity/]project/id``.

    Raises:
        UserError: It has made none yet.
    """
    path = sweep.folder / ID_FILE
    if not path.exists():
        raise UserError(
            f"{path}: no sweep there yet; --join once the node without it says 'W&B sweep: ...'"
        )
    return path.read_text()


def open_sweep(sweep: Sweep) -> str:
    """Make a sweep on the server, or go back to the one that this folder began with.

    For the driver alone, whose checks have passed: whoever joins takes `made_sweep`.

    Raises:
        UserError: There is no key, several objectives, or the server refuses.
    """
    path = sweep.folder / ID_FILE
    if path.exists():
        return made_sweep(sweep)
    if not logged_in():
        raise UserError("--backend wandb: no key; run wandb login, or take --backend local")
    if len(sweep.settings.metrics) > 1:
        raise UserError("W&B's sweeps have one objective; take --backend local for several")
    file = sweep.plan.file
    project = file.project or PROJECT
    try:
        sweep_id = wandb.sweep(server_config(sweep), entity=file.entity, project=project)
    except (wandb.Error, OSError, ValueError) as error:
        raise UserError(f"W&B did not take the sweep ({type(error).__name__}: {error})") from None
    if not RUN_ID.fullmatch(sweep_id):
        raise UserError("W&B answered with something that is no sweep's id")
    made = "/".join(part for part in (file.entity, project, sweep_id) if part)
    write_whole(path, made)
    return made


def server_config(sweep: Sweep) -> dict[str, Any]:
    """Return the sweep file as the server gets it: with the number of runs, without a command."""
    document: Mapping[str, Any] = read_yaml(sweep.folder / PLAN_FILE, dotted_keys=True).data
    kept = {key: value for key, value in document.items() if key not in FILE_KEYS_KEPT_HERE}
    metric = sweep.settings.metrics[0].model_dump()
    return {**kept, "metric": metric, "name": sweep.name, "run_cap": sweep.settings.count}


def check_chosen(plan: Plan, chosen: Mapping[str, Any]) -> dict[str, JsonValue]:
    """Return the values that a server chose, if the sweep file could have led to them.

    Args:
        plan: The sweep file.
        chosen: Values by dotted key, or nested as the file's parameters may be.

    Raises:
        UserError: A key is missing or unknown, or a value is of another type or out of its range.
    """
    values = _dotted(plan, chosen)
    odd = sorted(plan.parameters.keys() ^ values.keys())
    if odd:
        what = "did not choose" if odd[0] in plan.parameters else "chose the unknown key"
        raise UserError(f"the server {what} {odd[0]!r}; nothing was run")
    for key, value in values.items():
        if not plan.parameters[key].contains(value):
            raise UserError(
                f"the server chose {key} = {repr(value)[:60]}, which {plan.source} does not "
                "allow; nothing was run"
            )
    return {key: values[key] for key in plan.parameters}


def _dotted(plan: Plan, chosen: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in chosen.items():
        key = f"{above}{name}"
        if key not in plan.parameters and isinstance(value, Mapping) and value:
            values |= _dotted(plan, value, f"{key}.")
        else:
            values[key] = value
    return values


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
            time.sleep(training.POLL_S)
        if path.stem not in known:
            studies.search.add_trial(_trial(sweep, path.stem, read_json(path)))


def _trial(sweep: Sweep, name: str, note: Mapping[str, Any]) -> FrozenTrial:
    """Return a run as a trial: complete, failed with its reason, or ended early by the server."""
    told = {"recipe": "search", "runs": [name], "begun": 1, **note}
    if "error" in note:
        return create_trial(state=TrialState.FAIL, user_attrs=told)
    if not (sweep.trials / name / "results.json").exists():
        return create_trial(state=TrialState.PRUNED, user_attrs=told)
    try:
        scores = means(sweep, [Task(name, note["values"], sweep.base.seed)])
    except UserError as error:
        return create_trial(state=TrialState.FAIL, user_attrs={**told, "error": str(error)})
    told["scores"] = {name: asdict(score) for name, score in scores.items()}
    told["record"] = training.record_hash(sweep.trials / name)
    return create_trial(values=[one.value for one in scores.values()], user_attrs=told)
