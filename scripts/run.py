"""Run one config in one process or in several. Started by scripts/runner.sh."""

import argparse
import os
import re
import sys
from collections.abc import Sequence

from cinelex.core import entry
from cinelex.core.errors import UserError
from cinelex.scripts.options import parser

MAIN = "cinelex.scripts.main"
HELP = ("-h", "--help")


@entry.command
def main(arguments: Sequence[str] | None = None) -> int:
    """Choose the devices, then do what the command line says; return the exit code of that."""
    places = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    places.add_argument("--selected_gpus")
    places.add_argument("--processes")
    places.add_argument("--run_mode")
    given = sys.argv[1:] if arguments is None else list(arguments)
    options, rest = places.parse_known_args(given)
    mode = ["--run_mode", options.run_mode] if options.run_mode else []
    if options.run_mode and any(word in HELP for word in rest):
        parser(options.run_mode).print_help()
        return 0
    if options.run_mode == "estimate":
        return entry.main([MAIN, *given])
    processes = choose(options.selected_gpus, options.processes)
    if processes == 1:
        return entry.main([MAIN, *mode, *rest])
    return entry.main(["cinelex.scripts.launch", "--processes", str(processes), *mode, *rest])


def choose(gpus: str | None, processes: str | None) -> int:
    """Let only what was asked for be visible; return how many processes there are to be.

    Raises:
        UserError: What was given is no list of GPUs, or no number.
    """
    if gpus is not None:
        names = gpus.split(",")
        if not all(re.fullmatch(r"[A-Za-z0-9/-]+", name) for name in names):
            raise UserError(f"--selected_gpus must be like 0,1,2, got {gpus!r}")
        if processes is not None:
            raise UserError("--selected_gpus and --processes exclude each other")
        if len(set(names)) < len(names):
            raise UserError(f"--selected_gpus names a GPU twice: {gpus!r}")
        os.environ["CUDA_VISIBLE_DEVICES"] = gpus
        return len(names)
    if processes is None:
        return 1
    if not re.fullmatch(r"[1-9][0-9]{0,3}", processes):
        raise UserError(f"--processes must be a positive number, got {processes!r}")
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    return int(processes)


if __name__ == "__main__":
    sys.exit(entry.guarded(main))
