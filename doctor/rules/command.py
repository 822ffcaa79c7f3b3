"""The command ``doctor check``: what the rules find in the folder of a run.

``bash scripts/doctor.sh check runs/multitask --reference runs/baseline``
"""

import argparse
from pathlib import Path

from cinelex.core.console import say
from cinelex.core.exit_codes import SICK
from cinelex.doctor.check import diagnose_run
from cinelex.doctor.finding import is_sick, summary
from cinelex.doctor.run_files import read_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="folder of the run")
    parser.add_argument(
        "--reference",
        type=Path,
        metavar="OTHER",
        help="folder of a run whose results these are compared with: were they made from them?",
    )


def run(options: argparse.Namespace) -> int:
    """Say every finding, worst first; return 1 if one is an error, else 0.

    Raises:
        UserError: A folder does not exist, or a file in it is broken.
    """
    reference = read_run(options.reference) if options.reference else None
    findings = diagnose_run(read_run(options.run_folder), reference=reference)
    say(summary(findings))
    return SICK if is_sick(findings) else 0
