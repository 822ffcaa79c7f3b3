"""The options of a run, which need no library to be read."""

import argparse
from typing import Any

from cinelex.core.entry import CommandLine, Help, prog

NOT_TRAINING = ("validate", "inference", "embed", "merge", "generate", "morph")


def count(text: str) -> int:
    """Return a number from 1 on.

    Raises:
        ArgumentTypeError: It is none; argparse says so with the option's name.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got {text!r}")
    return int(text)


OPTIONS: tuple[tuple[str, tuple[str, ...], dict[str, Any]], ...] = (
    ("--use_wandb", ("train",), {"choices": ("true", "false"), "help": "also send scalars to W&B"}),
    ("--selected_gpus", (), {"metavar": "0,1,2", "help": "one process on each of these GPUs"}),
    (
        "--processes",
        (),
        {"type": count, "metavar": "N", "help": "N processes on the CPU; estimate: N GPUs"},
    ),
    ("--print_config", (), {"action": "store_true", "help": "print the resolved config and exit"}),
    (
        "--steps",
        ("morph", "profile"),
        {"type": count, "default": 11, "help": "profile: steps to trace; morph: settings to write"},
    ),
    ("--part", ("ingest",), {"metavar": "I/N", "help": "ingest: decode only the I-th of N shares"}),
    (
        "--card",
        ("estimate",),
        {"default": "cpu", "help": "estimate: cpu or, say, h100-80gb"},
    ),
    (
        "--label",
        NOT_TRAINING,
        {"help": "write results of another config or other studies to a folder of this name"},
    ),
)
"""Each option, the run modes that read it (all, if none is named), and argparse's arguments."""


class _RunHelp(Help, argparse.RawDescriptionHelpFormatter):
    """The list of run modes keeps its lines."""


def parser(mode: str | None = None) -> argparse.ArgumentParser:
    """Return the command line of a run; of one run mode only what it reads."""
    made = CommandLine(
        prog=prog("runner.sh"),
        formatter_class=_RunHelp,
    )
    made.add_argument(
        "--base_config",
        required=True,
        help="YAML file, the folder of a run, or the path of a shipped config",
    )
    shown = argparse.SUPPRESS if mode else "what to do, see below"
    made.add_argument("--run_mode", metavar="MODE", default="train", help=shown)
    for name, readers, told in OPTIONS:
        if mode is None or not readers or mode in readers:
            made.add_argument(name, **told)
    made.add_argument(
        "overrides",
        nargs="*",
        metavar="key.path=value",
        help="override a config key" + ("" if mode else "; generate, morph: what to make"),
    )
    return made
