"""Parse, build, run. Started by scripts/runner.sh, once in every process."""

import argparse
import os
import sys
from collections.abc import Sequence

import torch

from config.load import dump_config, load_config
from config.schema import RunConfig
from core.console import say
from core.distributed import is_main, start, stop
from core.errors import UserError
from doctor.check import check_before_training, render
from doctor.report import write_report
from projects import open_project
from runners.evaluate import embed, evaluate, infer
from runners.run_folder import lock_manifest, open_finished, open_for_training
from runners.sinks import Sink, WandbSink
from runners.summary import schedule_lines, summary_lines
from runners.train import Trainer

MODES = ("train", "validate", "inference", "embed")
INTERRUPTED = 130
"""Exit code after Ctrl-C or SIGTERM, with everything saved."""


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="runner.sh", description=__doc__, allow_abbrev=False)
    parser.add_argument("--base_config", required=True, help="YAML file of the run")
    parser.add_argument("--run_mode", choices=MODES, default="train")
    parser.add_argument("--use_wandb", choices=("true", "false"), help="also send scalars to W&B")
    parser.add_argument("--print_config", action="store_true", help="print what would run, and end")
    parser.add_argument("overrides", nargs="*", metavar="key.path=value", help="change the config")
    return parser.parse_intermixed_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return 0, 2 for bad input, or 130 if stopped."""
    options = parse(arguments)
    wandb = [f"use_wandb={options.use_wandb}"] if options.use_wandb else []
    try:
        config = load_config(options.base_config, [*wandb, *options.overrides])
        if options.print_config:
            sys.stdout.write(dump_config(config))
            return 0
        device = start(_device(config))
        return run(config, options.run_mode, device)
    except UserError as problem:
        # before the ranks have met, only torchrun's variable tells them apart
        if os.environ.get("RANK", "0") == "0":
            sys.stderr.write(f"error: {problem}\n")
        return 2
    finally:
        stop()


def run(config: RunConfig, mode: str, device: torch.device) -> int:
    """Run one mode of a run."""
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    if mode == "train":
        return train(config, device)
    folder = open_finished(config)
    project = open_project(config, folder.path)
    if mode == "validate":
        say("\n".join(summary_lines(evaluate(project, config, folder, device))))
        if is_main():
            say(f"report: {write_report(folder.path)}")
    else:
        say(f"written: {(infer if mode == 'inference' else embed)(project, folder, device)}")
    return 0


def train(config: RunConfig, device: torch.device) -> int:
    """Train, or go on training, then evaluate and write the report."""
    for finding in check_before_training(config):
        say(render(finding))
    folder = open_for_training(config)
    project = open_project(config, folder.path)
    provenance = lock_manifest(folder, config, data_hash=project.data_hash())
    say("\n".join(schedule_lines(config)))
    sinks: tuple[Sink, ...] = ()
    if config.use_wandb:
        sinks = (WandbSink(project="cinelex", name=config.name, folder=folder.path),)
    trainer = Trainer(
        project, config, folder=folder.path, device=device, provenance=provenance, sinks=sinks
    )
    finished = trainer.run()
    for sink in sinks:
        sink.close()
    if not finished:
        say(f"stopped and saved after step {trainer.step}; the same command goes on from there")
        return INTERRUPTED
    say("\n".join(summary_lines(evaluate(project, config, folder, device))))
    if is_main():
        say(f"report: {write_report(folder.path)}")
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
    sys.exit(main())
