"""A run on disk: its folder, what it was made from, and its entry in the registry."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml

from cinelex.config.load import config_hash, dump_config, load_config
from cinelex.config.schema import RunConfig
from cinelex.core.console import say
from cinelex.core.distributed import barrier, is_main
from cinelex.core.errors import UserError
from cinelex.core.files import read_json, write_json, write_whole
from cinelex.core.names import covered
from cinelex.core.provenance import code_hash

MAY_CHANGE = (
    "folder",
    "device",
    "threads",
    "precision",
    "gradient_accumulation_steps",
    "parallel",
    "activation_checkpointing",
    "compile",
    "strict_resume",
    "resume_skip",
    "checksum_every",
    "hang_limit_s",
    "use_wandb",
    "log_every",
    "probe_every",
    "keep_checkpoints",
    "evaluation",
    "data.cache",
    "data.workers",
    "data.inference_manifest",
    "eq.inference_file",
)
"""Keys and sections that a run may change when it goes on; the rest decides its numbers."""
MAX_NAMED = 8
"""Differing keys that a refusal spells out."""


@dataclass(frozen=True)
class RunFolder:
    """``runs/<name>``; deleting it deletes the run."""

    path: Path

    @property
    def checkpoints(self) -> Path:
        """Where the checkpoints are."""
        return self.path / "checkpoints"


def open_for_training(config: RunConfig) -> RunFolder:
    """Make the run's folder, or go back to it, and leave the resolved config there.

    Raises:
        UserError: The folder holds a run of another config, or cannot be written to.
    """
    folder = RunFolder(config.folder / config.name)
    if is_main():
        _refuse_another(config, folder.path)
        try:
            write_whole(folder.path / "config.yaml", dump_config(config))
        except OSError as problem:
            raise UserError(
                f"{folder.path}: cannot be written to ({problem.strerror}); set folder="
            ) from None
    barrier()
    return folder


def open_finished(config: RunConfig) -> RunFolder:
    """Return the folder of a run that was begun.

    Raises:
        UserError: There is none.
    """
    folder = RunFolder(config.folder / config.name)
    if not (folder.path / "config.yaml").exists():
        raise UserError(f"{folder.path}: no run there; train it first, or set name= and folder=")
    return folder


def lock_manifest(folder: RunFolder, config: RunConfig, *, data_hash: str) -> dict[str, str]:
    """Write ``manifest.lock``, the hashes of config, data and code, and return them.

    Raises:
        UserError: The run was begun with other data.
    """
    path = folder.path / "manifest.lock"
    lock = {"config": config_hash(config), "data": data_hash, "code": code_hash()}
    changed = path.exists() and read_json(path)["data"] != data_hash
    if changed and not covered("data", config.resume_skip):
        raise UserError(
            f"{path}: the studies have changed since this run began; give it another name=, "
            "bring the manifest and the videos back, or set resume_skip=[data]"
        )
    if is_main():
        write_json(path, lock)
    return lock


def register(config: RunConfig, provenance: Mapping[str, str]) -> None:
    """Enter a finished run into ``registry.sqlite``, which lists them all.

    Raises:
        ValueError: A hash is missing: a result without one cannot be traced.
    """
    missing = {"config", "data", "code", "checkpoint"} - {k for k, v in provenance.items() if v}
    if missing:
        raise ValueError(f"a run without {sorted(missing)} hashes is not registered")
    if not is_main():
        return
    columns = ("name", "finished", "project", "steps", "config", "data", "code", "checkpoint")
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    row = (config.name, finished, config.project, config.steps)
    hashes = tuple(provenance[name] for name in columns[4:])
    with sqlite3.connect(config.folder / "registry.sqlite") as connection:
        connection.execute(
            "create table if not exists runs (name text primary key, finished text, project text, "
            "steps integer, config text, data text, code text, checkpoint text)"
        )
        slots = ", ".join("?" * len(columns))
        connection.execute(f"insert or replace into runs values ({slots})", row + hashes)  # noqa: S608


def _refuse_another(config: RunConfig, path: Path) -> None:
    if not (path / "config.yaml").exists():
        return
    old = load_config(path / "config.yaml")
    differing = _differences(yaml.safe_load(dump_config(old)), yaml.safe_load(dump_config(config)))
    decisive = {key: line for key, line in differing if not covered(key, MAY_CHANGE)}
    refused = [line for key, line in decisive.items() if not covered(key, config.resume_skip)]
    if refused:
        more = f"; and {len(refused) - MAX_NAMED} more" if len(refused) > MAX_NAMED else ""
        raise UserError(
            f"{path} holds a run of another config ({'; '.join(refused[:MAX_NAMED])}{more}); "
            "give this one another name=, delete that folder, or name what may differ in "
            "resume_skip"
        )
    for line in decisive.values():
        say(f"warning: the run goes on with another config, as resume_skip allows: {line}")


def _differences(old: object, new: object, key: str = "") -> list[tuple[str, str]]:
    """Return each dotted key whose value differs, with both values."""
    if isinstance(old, dict) and isinstance(new, dict):
        found = []
        for name in sorted(old.keys() | new.keys()):
            inner = f"{key}.{name}" if key else str(name)
            found += _differences(old.get(name), new.get(name), inner)
        return found
    return [] if old == new else [(key, f"{key}: {old} -> {new}")]
