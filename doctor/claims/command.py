"""The command ``doctor claims``."""

import argparse
from pathlib import Path

from cinelex.core.console import say
from cinelex.core.errors import UserError
from cinelex.core.files import write_json, write_whole
from cinelex.doctor.claims.match import match_claims
from cinelex.doctor.claims.report import claims_json, flag_tables, render_claims
from cinelex.doctor.claims.run_numbers import read_numbers
from cinelex.doctor.claims.write_up import read_write_up

WRONG = 1
"""Exit code where a number differs from the run, or a table looks computed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("file", type=Path, metavar="FILE.md", help="the write-up")
    parser.add_argument(
        "run_folder", type=Path, metavar="RUN", help="folder of the run, runs/<name>"
    )
    parser.add_argument("--out", type=Path, help="also write claims.md and claims.json there")


def run(options: argparse.Namespace) -> int:
    """Check the write-up and say what came out; return 0, or 1 if something is wrong.

    Raises:
        UserError: A file cannot be read, or the folder cannot be written to.
    """
    write_up = read_write_up(options.file)
    matches = match_claims(write_up.claims, read_numbers(options.run_folder))
    flagged = flag_tables(write_up.tables)
    title = f"{options.file.name} beside {options.run_folder.name}"
    text = render_claims(title, matches, flagged)
    if options.out is not None:
        try:
            write_whole(options.out / "claims.md", text)
            write_json(options.out / "claims.json", claims_json(matches, flagged))
        except OSError as problem:
            raise UserError(
                f"{options.out}: cannot be written to ({problem.strerror}); set --out"
            ) from None
    say(text.rstrip())
    wrong = flagged or any(match.status == "differs" for match in matches)
    return WRONG if wrong else 0
