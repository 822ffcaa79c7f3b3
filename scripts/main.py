"""Train, evaluate or use one config. Started by scripts/runner.sh, once in every process."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from cinelex.config.load import dump_config, load_config
from cinelex.config.schema import RunConfig
from cinelex.config.shipped import config_file
from cinelex.core.checkpoint import has_begun
from cinelex.core.console import say
from cinelex.core.distributed import leave, speaks_first, start, stop, world_size
from cinelex.core.entry import disk_refusal, guarded
from cinelex.core.errors import UserError
from cinelex.core.exit_codes import BAD_INPUT
from cinelex.projects import PROJECTS, check_project, open_project
from cinelex.runners.evaluate import use
from cinelex.runners.finished import RunRequest, open_finished
from cinelex.scripts.modes import MODES
from cinelex.scripts.options import parser as run_options

MIN_TIMEOUT_S = 600.0
"""Seconds that processes wait for one another however short the watchdog's limit is."""


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the command line."""
    worded = {
        name for entry in PROJECTS.values() for name, mode in entry.modes.items() if mode.words
    }
    parser = run_options()
    parser.description = __doc__
    parser.epilog = "\n".join(["run modes:", *_modes_help()])
    options = parser.parse_intermixed_args(arguments)
    takes_words = options.run_mode in worded
    options.words = [item for item in options.overrides if takes_words and "=" not in item]
    options.overrides = [item for item in options.overrides if item not in options.words]
    return options


def _modes_help() -> list[str]:
    """Return a line for every run mode; some projects' own say more than one thing."""
    lines = {name: [mode.help] for name, mode in MODES.items()}
    for project, entry in PROJECTS.items():
        for name, mode in entry.modes.items():
            lines.setdefault(name, []).append(f"{mode.help} ({project})")
    return [f"  {name:<12}{'; '.join(helps)}" for name, helps in lines.items()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says.

    Returns:
        0; 1 if the doctor finds an error; 2 for bad input; 130 if interrupted; 75 if preempted.
    """
    options = parse(arguments)
    wandb = [f"use_wandb={options.use_wandb}"] if options.use_wandb else []
    try:
        there = _place_of(options.base_config, options.overrides)
        file = config_file(options.base_config)
        config = load_config(file, [*wandb, *there, *options.overrides])
        check_project(config)
        _check_mode(config, options.run_mode)
        if options.print_config:
            sys.stdout.write(dump_config(config))
            return 0
        # the watchdog of a process that hangs ends it, with its stacks, before the others give up
        timeout_s = max(MIN_TIMEOUT_S, 2 * config.hang_limit_s)
        device = start(_device(config), timeout_s=timeout_s)
        code = run(config, options, device)
    except (UserError, OSError) as problem:
        line = disk_refusal(problem) if isinstance(problem, OSError) else str(problem)
        if speaks_first() or isinstance(problem, OSError):
            sys.stderr.write(f"error: {line}\n")
        if world_size() > 1:
            leave(BAD_INPUT)
        code = BAD_INPUT
    # not after any other error: who shows its traceback has to be agreed upon first
    stop()
    return code


def _place_of(base: str, overrides: Sequence[str]) -> list[str]:
    """Return the keys by which a run's folder means the run in it, wherever it was moved."""
    path = Path(base)
    if not path.is_dir() or not has_begun(path):
        return []
    path = path if path.name not in ("", "..") else path.resolve()
    given = [item.partition("=")[0] for item in overrides]
    place = {"name": path.name, "folder": str(path.parent)}
    return [f"{key}={json.dumps(value)}" for key, value in place.items() if key not in given]


def _check_mode(config: RunConfig, mode: str) -> None:
    """Refuse a run mode that only other projects have.

    Raises:
        UserError: Names the modes that there are.
    """
    there = (*MODES, *PROJECTS[config.project].modes)
    if mode not in there:
        raise UserError(
            f"project {config.project} has no --run_mode {mode}; there are {', '.join(there)}"
        )


def run(config: RunConfig, options: argparse.Namespace, device: torch.device) -> int:
    """Run one mode of a run."""
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    given = [*options.overrides, *(["use_wandb="] if options.use_wandb else [])]
    request = RunRequest(
        config=config,
        given=tuple(item.partition("=")[0] for item in given),
        label=options.label,
        card=options.card,
        processes=options.processes or 1,
        steps=options.steps,
    )
    if options.part is not None:
        return ingest_part(config, options)
    if options.run_mode in MODES:
        return MODES[options.run_mode].begin(request, device)
    finished = open_finished(request)
    _check_mode(finished.config, options.run_mode)
    mode = PROJECTS[finished.config.project].modes[options.run_mode]
    project = open_project(finished.config, finished.folder.path, finished.output)
    written = use(project, mode, finished, device, words=options.words, steps=options.steps)
    say(f"written: {written}")
    return 0


def ingest_part(config: RunConfig, options: argparse.Namespace) -> int:
    """Decode one share of a manifest's videos, for one of several machines.

    Raises:
        UserError: Another mode was asked for, or the share is none.
    """
    from cinelex.projects.studies.data import decode_share  # here, because few need them
    from cinelex.scripts.prepare import share_of

    if options.run_mode != "ingest" or config.project == "eq":
        raise UserError("--part is for --run_mode ingest of a project that reads videos")
    stored = decode_share(config, share_of(options.part))
    say(f"part {options.part}: {len(stored) - stored.refused} of {len(stored)} videos are decoded")
    return 0


def _device(config: RunConfig) -> str:
    """Return the kind of device to compute on.

    Raises:
        UserError: A GPU was asked for and there is none.
    """
    if config.device == "cuda" and not torch.cuda.is_available():
        raise UserError("device: cuda was asked for, but no GPU is visible; set device=auto")
    if config.device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return config.device


if __name__ == "__main__":
    sys.exit(guarded(main))
