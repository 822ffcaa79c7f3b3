"""Index the studies of a trained run, so that they can be searched; only new ones are encoded."""

import argparse
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cinelex.core.console import say
from cinelex.core.entry import CommandLine, command, prog
from cinelex.core.errors import UserError
from cinelex.core.extras import how_to_install

if TYPE_CHECKING:
    from cinelex.library.library import Library

NEEDED: Final = ("faiss", "fastapi", "uvicorn")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what both commands of a library take."""
    parser.add_argument("run", type=Path, help="folder of a trained run, such as runs/multitask")
    parser.add_argument("--manifest", type=Path, help="studies to add (default: those of the run)")


def check_extra() -> None:
    """Refuse to begin without the packages of the search page.

    Raises:
        UserError: One is missing.
    """
    for name in NEEDED:
        if find_spec(name) is None:
            raise UserError(how_to_install(name))


def up_to_date(options: argparse.Namespace) -> "Library":
    """Load the run, add what its library lacks, and open it."""
    check_extra()
    # here, so that the options are shown at once, and without the extra
    from cinelex.library.building import bring_up_to_date
    from cinelex.library.library import Library
    from cinelex.trained.loading import load

    run = load(options.run)
    library = Library.open(bring_up_to_date(run, options.run, options.manifest), run)
    catalog = library.catalog
    say(f"library: {len(catalog.current())} studies, {catalog.current_videos} videos")
    return library


def parser() -> argparse.ArgumentParser:
    """Return the options."""
    options = CommandLine(prog=prog("cinelex index"), description=__doc__)
    add_arguments(options)
    return options


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return its exit code, 2 for bad input."""
    library = up_to_date(parser().parse_args(arguments))
    say(f"search it with: cinelex demo {library.folder.parent}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
