"""A run on disk: its folder, what it was made from, and its entry in the registry."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from torch import nn

from cinelex.config.load import config_hash, dump_config, load_config
from cinelex.config.schema import RunConfig
from cinelex.core.checkpoint import has_begun
from cinelex.core.console import say
from cinelex.core.distributed import barrier, broadcast_json, is_main
from cinelex.core.errors import UserError
from cinelex.core.files import read_json, write_json, write_whole
from cinelex.core.folders import check_writable
from cinelex.core.names import covered
from cinelex.core.provenance import code_hash
from cinelex.projects.interface.results import HASHES
from cinelex.projects.interface.towers import keep_towers
from cinelex.runners.differences import decisive, listed

LOCK = "manifest.lock"


@dataclass(frozen=True)
class RunFolder:
    """``runs/<name>``; deleting it deletes the run."""

    path: Path

    @property
    def checkpoints(self) -> Path:
        """Where the checkpoints are."""
        return self.path / "checkpoints"


def open_for_training(config: RunConfig) -> RunFolder:
    """Make the run's folder, or go back to it.

    Only a run that has begun, by a record or a checkpoint, binds who comes next.

    Raises:
        UserError: The folder holds a run of another config, or cannot be written to.
    """
    folder = RunFolder(config.folder / config.name)
    problem = ""
    if is_main():
        problem = _another(config, folder.path) or _unwritable(folder.path)
    problem = broadcast_json(problem)
    if problem:
        raise UserError(problem)
    return folder


def provenance_of(folder: RunFolder, config: RunConfig, *, data_hash: str) -> dict[str, str]:
    """Return the hashes of config, data and code as they are now.

    Raises:
        UserError: The run was begun with other data.
    """
    path = folder.path / LOCK
    kept = read_json(path) if path.exists() and has_begun(folder.path) else {}
    changed = kept.get("data") not in (None, data_hash)
    if changed and not covered("data", config.resume_skip):
        raise UserError(
            f"{path}: the studies have changed since this run began; give it another name=, "
            "bring the manifest and the videos back, or set resume_skip=[data]"
        )
    return {"config": config_hash(config), "data": data_hash, "code": code_hash()}


def write_down(
    folder: RunFolder, config: RunConfig, provenance: Mapping[str, str], module: nn.Module
) -> None:
    """Leave beside the record what a run is: its config, its hashes, and how its towers are built.

    Called when nothing but the first step is left to do.
    """
    if is_main():
        write_whole(folder.path / "config.yaml", dump_config(config))
        write_json(folder.path / LOCK, dict(provenance))
        # without their frozen weights towers are built from their source again
        if not has_begun(folder.path) and config.checkpoint_frozen:
            keep_towers(folder.path, module)
    barrier()


def register(config: RunConfig, provenance: Mapping[str, str]) -> None:
    """Enter a finished run into ``registry.sqlite``, which lists them all.

    Raises:
        ValueError: A hash is missing: a result without one cannot be traced.
    """
    missing = set(HASHES) - {k for k, v in provenance.items() if v}
    if missing:
        raise ValueError(f"a run without {sorted(missing)} hashes is not registered")
    if not is_main():
        return
    columns = ("name", "finished", "project", "steps", *HASHES)
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    row = (config.name, finished, config.project, config.steps)
    hashes = tuple(provenance[name] for name in HASHES)
    with closing(sqlite3.connect(config.folder / "registry.sqlite")) as connection, connection:
        connection.execute(
            "create table if not exists runs (name text primary key, finished text, project text, "
            "steps integer, config text, data text, code text, checkpoint text)"
        )
        slots = ", ".join("?" * len(columns))
        connection.execute(f"insert or replace into runs values ({slots})", row + hashes)  # noqa: S608


def _unwritable(path: Path) -> str:
    """Return why nothing can be written to a folder; empty where it can."""
    try:
        check_writable(path, "folder=")
    except UserError as problem:
        return str(problem)
    return ""


def _another(config: RunConfig, path: Path) -> str:
    """Return why a run that has begun is none of this config; empty where it is."""
    kept = path / "config.yaml"
    if not (has_begun(path) and kept.exists()):
        return ""
    differing = decisive(load_config(kept), config)
    refused = [line for key, line in differing.items() if not covered(key, config.resume_skip)]
    if refused:
        return (
            f"{path} holds a run of another config ({listed(refused)}); give this one another "
            "name=, delete that folder, or name what may differ in resume_skip"
        )
    for line in differing.values():
        say(f"warning: the run resumes with another config, as resume_skip allows: {line}")
    return ""
