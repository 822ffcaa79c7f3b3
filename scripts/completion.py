"""Print a shell completion script for ``cinelex``; takes seconds, as every command is loaded."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import shtab

from cinelex.core.entry import CommandLine, command, guarded, prog
from cinelex.scripts.command import parser_of
from cinelex.scripts.commands import COMMANDS

FILES = ("--base_config", "--sweep_config")
"""Options that name a file and whose type does not say so."""


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = CommandLine(prog=prog("cinelex completion"), description=__doc__)
    made.add_argument("shell", choices=shtab.SUPPORTED_SHELLS)
    return made


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return 0."""
    options = parser().parse_args(arguments)
    sys.stdout.write(shtab.complete(everything(), shell=options.shell))
    return 0


def everything() -> argparse.ArgumentParser:
    """Return one parser with the options of every command."""
    whole = argparse.ArgumentParser(prog="cinelex")
    parts = whole.add_subparsers(dest="command")
    for name, entry in COMMANDS.items():
        own = parser_of(entry)
        _complete_files(own)
        part = parts.add_parser(name, help=entry.what, parents=[own], conflict_handler="resolve")
        part.prog = f"cinelex {name}"
    return whole


def _complete_files(own: argparse.ArgumentParser) -> None:
    for action in own._actions:  # argparse has no public list of them
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                _complete_files(inner)
        elif action.type is Path or any(option in FILES for option in action.option_strings):
            action.complete = shtab.FILE  # type: ignore[attr-defined]


if __name__ == "__main__":
    sys.exit(guarded(main))
