"""A run that is used after training, with its own config whatever the command line says."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cinelex.config.flat import flat
from cinelex.config.load import dump_config, load_config, with_keys_of
from cinelex.config.schema import RunConfig
from cinelex.core.console import say
from cinelex.core.distributed import barrier, is_main
from cinelex.core.errors import UserError
from cinelex.core.files import write_whole
from cinelex.core.names import covered
from cinelex.runners.differences import MAY_CHANGE, OF_THE_MACHINE, PLACES, decisive, listed
from cinelex.runners.run_folder import RunFolder

LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """What a command line requests of a run."""

    config: RunConfig
    """The base config with the command line's changes."""
    given: tuple[str, ...] = ()
    """Keys and sections that the command line itself set."""
    label: str | None = None
    """Name for results under another config; None refuses another config."""
    card: str = "cpu"
    """The GPU to estimate for, or cpu."""
    processes: int = 1
    """Number of GPUs or processes to estimate for."""
    steps: int = 11
    """Steps to profile."""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A trained run, and the config it is used with."""

    folder: RunFolder
    config: RunConfig
    """The run's own config, with the changes that a command may make."""
    output: Path
    """Where results go: the run's folder, or a separate one for a label."""
    label: str | None = None
    differing: Sequence[str] = ()
    """One line per setting that affects results and differs from the run's; only with a label."""


def open_finished(request: RunRequest) -> Finished:
    """Return a run with the config that it was trained with.

    Of the requested config, only what the command line itself sets and where to compute is used.

    Raises:
        UserError: There is no run, or what was set decides its numbers and no label was given.
    """
    folder = RunFolder(request.config.folder / request.config.name)
    kept = folder.path / "config.yaml"
    if not kept.exists():
        raise UserError(f"{folder.path}: no run there; train it first, or set name= and folder=")
    own = load_config(kept)
    differing = decisive(own, request.config)
    differing.pop("name", None)  # the folder may have been renamed
    moved = [key for key in PLACES if _is_moved(key, own, request)]
    set_here = {
        key: line
        for key, line in differing.items()
        if _is_given(key, request.given) and key not in moved
    }
    if set_here and request.label is None:
        raise UserError(
            f"{folder.path} was trained with another config ({listed(list(set_here.values()))}); "
            "leave that out, or add --label NAME to keep the results apart under that name"
        )
    passed_over = sorted(differing.keys() - set_here.keys() - set(moved))
    if passed_over:
        say(f"using {kept}; ignored from the base config: {listed(passed_over)}")
    free = [k for k in flat(request.config) if covered(k, MAY_CHANGE) and covered(k, request.given)]
    taken = request.given if request.label else [*free, *moved]
    config = with_keys_of(own, request.config, ["name", *OF_THE_MACHINE, *taken])
    output = folder.path if request.label is None else _apart(folder, request.label, config)
    return Finished(
        folder=folder,
        config=config,
        output=output,
        label=request.label,
        differing=tuple(set_here.values()),
    )


def _is_moved(key: str, own: RunConfig, request: RunRequest) -> bool:
    """Return whether a command says where else the same studies lie; their hash is compared.

    Made-up studies lie nowhere, and a manifest may do without a root.
    """
    before, now = flat(own)[key], flat(request.config)[key]
    both = before is not None or key == "data.video_root"
    return covered(key, request.given) and both and now is not None and now != before


def _is_given(key: str, given: Sequence[str]) -> bool:
    """Return whether a key was set, or is an option of a part whose name was."""
    parts = [name.removesuffix(".name") + ".options" for name in given if name.endswith(".name")]
    above = [name for name in given if name.startswith(f"{key}.")]
    return covered(key, [*given, *parts]) or bool(above)


def _apart(folder: RunFolder, label: str, config: RunConfig) -> Path:
    """Make the folder of a label, and leave there what its results are measured with."""
    if not LABEL.fullmatch(label):
        raise UserError(
            f"--label {label!r}: expected letters, digits, dot, dash and underscore, a letter or "
            "digit first"
        )
    path = folder.path / "validated" / label
    if is_main():
        write_whole(path / "config.yaml", dump_config(config))
    barrier()
    return path
