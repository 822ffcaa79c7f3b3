"""Parse, build, run. Started by scripts/runner.sh, once in every process."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Any

import torch

from cinelex.config.load import dump_config, load_config
from cinelex.config.schema import RunConfig
from cinelex.core.console import say
from cinelex.core.distributed import (
    barrier,
    broadcast_json,
    is_main,
    leave,
    speaks_first,
    start,
    stop,
    world_size,
)
from cinelex.core.errors import UserError
from cinelex.core.exit_codes import BAD_INPUT, INTERRUPTED, PREEMPTED, SICK
from cinelex.core.locks import sole_user
from cinelex.core.shared_memory import too_small
from cinelex.doctor.check import check_before_training
from cinelex.doctor.finding import is_sick, render, summary
from cinelex.doctor.live.examination import examine
from cinelex.doctor.live.watch import Watch, probes_of
from cinelex.doctor.report.page import write_report
from cinelex.projects import PROJECTS, check_project, open_project
from cinelex.projects.interface.project import Project
from cinelex.runners import checkpoint
from cinelex.runners.csv_log import write_csv_log
from cinelex.runners.evaluate import evaluate, use
from cinelex.runners.run_folder import (
    RunFolder,
    lock_manifest,
    open_finished,
    open_for_training,
)
from cinelex.runners.sinks import Sink, WandbSink
from cinelex.runners.summary import schedule_lines, summary_lines
from cinelex.runners.train import Trainer

MIN_TIMEOUT_S = 600.0
"""Seconds that processes wait for one another however short the watchdog's limit is."""


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the command line."""
    further = {name: mode for entry in PROJECTS.values() for name, mode in entry.modes.items()}
    counted = ", ".join(name for name, mode in further.items() if mode.steps)
    worded = {name: mode.words for name, mode in further.items() if mode.words}
    parser = argparse.ArgumentParser(
        prog="runner.sh",
        description=__doc__,
        epilog="\n".join(["run modes:", *_modes_help()]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--base_config", required=True, help="YAML file of the run")
    parser.add_argument("--run_mode", choices=(*MODES, *further), default="train")
    parser.add_argument("--use_wandb", choices=("true", "false"), help="also send scalars to W&B")
    parser.add_argument("--print_config", action="store_true", help="print what would run, and end")
    parser.add_argument("--steps", type=int, default=11, help=f"how many, of --run_mode {counted}")
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="key.path=value",
        help="change the config; also what to make, after "
        + " or ".join(f"--run_mode {name} ({words})" for name, words in worded.items()),
    )
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
        config = load_config(options.base_config, [*wandb, *options.overrides])
        check_project(config)
        _check_mode(config, options.run_mode)
        if options.print_config:
            sys.stdout.write(dump_config(config))
            return 0
        # the watchdog of a process that hangs ends it, with its stacks, before the others give up
        timeout_s = max(MIN_TIMEOUT_S, 2 * config.hang_limit_s)
        device = start(_device(config), timeout_s=timeout_s)
        code = run(config, options, device)
    except UserError as problem:
        if speaks_first():
            sys.stderr.write(f"error: {problem}\n")
        if world_size() > 1:
            leave(BAD_INPUT)
        code = BAD_INPUT
    # not after any other error: who shows its traceback has to be agreed upon first
    stop()
    return code


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
    if options.run_mode in MODES:
        return MODES[options.run_mode].begin(config, device)
    mode, folder = PROJECTS[config.project].modes[options.run_mode], open_finished(config)
    project = open_project(config, folder.path)
    written = use(project, mode, folder, device, words=options.words, steps=options.steps)
    say(f"written: {written}")
    return 0


def validate(config: RunConfig, device: torch.device) -> int:
    """Evaluate a trained run again and write the report."""
    folder = open_finished(config)
    _evaluate(open_project(config, folder.path), config, folder, device)
    return 0


def _evaluate(
    project: Project[Any, Any], config: RunConfig, folder: RunFolder, device: torch.device
) -> None:
    say("\n".join(summary_lines(evaluate(project, config, folder, device))))
    if is_main():
        say(f"report: {write_report(folder.path)}")


def ingest(config: RunConfig, _device: torch.device) -> int:
    """Decode every video into the cache and make the tokenizer, as training would do first."""
    folder = open_for_training(config)
    open_project(config, folder.path)
    say(f"ingested: frames in {config.data.cache}, what failed in {folder.path / 'rejects.csv'}")
    return 0


def consult(config: RunConfig, device: torch.device) -> int:
    """Say everything that can be known of a run without training it."""
    begun = (config.folder / config.name / "config.yaml").exists()
    with TemporaryDirectory() as elsewhere:
        # what has not begun leaves no folder behind, so that its config can still change
        fresh = RunFolder(Path(broadcast_json(elsewhere)))
        folder = open_for_training(config) if begun else fresh
        say("\n".join(schedule_lines(config)))
        findings = examine(open_project(config, folder.path), config, folder, device)
        say(summary(findings))
        if begun and is_main():
            say(f"report: {write_report(folder.path)}")
    return SICK if is_sick(findings) and is_main() else 0


def train(config: RunConfig, device: torch.device) -> int:
    """Train, or go on training, then evaluate and write the report."""
    for finding in check_before_training(config):
        say(render(finding))
    folder = open_for_training(config)
    with ExitStack() as stack:
        if is_main():
            stack.enter_context(sole_user(folder.path))
        return _train_alone(config, folder, device)


def _train_alone(config: RunConfig, folder: RunFolder, device: torch.device) -> int:
    """Train in a folder that no other run uses."""
    if device.type == "cuda":
        cramped = too_small(int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
        if cramped:
            say(f"warning: {cramped}")
    project = open_project(config, folder.path)
    provenance = lock_manifest(folder, config, data_hash=project.data_hash())
    say("\n".join(schedule_lines(config)))
    notes: dict[str, str] = {}
    sinks: tuple[Sink, ...] = ()
    if config.use_wandb:
        notes["wandb"] = checkpoint.note(folder.checkpoints, "wandb") or token_hex(4)
        sinks = (
            WandbSink(
                project=os.environ.get("WANDB_PROJECT", "cinelex"),
                name=config.name,
                folder=folder.path,
                run_id=notes["wandb"],
            ),
        )
    watch = Watch(config, folder.path)
    watch.look(project, device)
    trainer = Trainer(
        project,
        config,
        folder=folder.path,
        device=device,
        provenance=provenance,
        sinks=(*sinks, watch),
        probes=probes_of(project, config),
        notes=notes,
    )
    watch.begin(trainer)
    try:
        finished = trainer.run()
    finally:
        for sink in (*sinks, watch):
            sink.close()
    if not finished:
        # a rank that left earlier would be taken for a failure, and the main one be ended
        barrier()
        say(f"stopped and saved after step {trainer.step}; the same command goes on from there")
        return PREEMPTED if trainer.cause == "preempted" else INTERRUPTED
    if is_main():
        write_csv_log(folder.path / "metrics.jsonl")
    _evaluate(project, config, folder, device)
    return 0


@dataclass(frozen=True)
class Mode:
    """A run mode that every project has."""

    help: str
    begin: Callable[[RunConfig, torch.device], int]
    """From a config and the device to the exit code."""


MODES = {
    "train": Mode("train, or go on training, then evaluate and write the report", train),
    "ingest": Mode("decode every video into the cache, as training would do first", ingest),
    "validate": Mode("evaluate a trained run again and write the report", validate),
    "doctor": Mode("say everything that can be known without training", consult),
}
"""The run modes of every project; what else a trained model can be used for, its project says."""


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
    sys.exit(main())
