"""The command ``cinelex`` of an installed package: each script by its name."""

import importlib
import os
import shutil
import sys
import textwrap
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence

from cinelex.core import entry
from cinelex.core.exit_codes import BAD_INPUT
from cinelex.scripts.commands import COMMANDS, GROUPS, Command

WIDTH = max(map(len, COMMANDS)) + 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Hand the rest of the command line to the module of the command that stands first."""
    name, *rest = [*(sys.argv[1:] if arguments is None else arguments)] or [""]
    if name in ("-h", "--help", "help"):
        sys.stdout.write(overview())
        return 0
    if name == "--version":
        from importlib.metadata import version  # here, for it takes a tenth of a second

        sys.stdout.write(f"cinelex {version('cinelex')}\n")
        return 0
    if name not in COMMANDS:
        sys.stderr.write(overview() if not name else f"error: {unknown(name)}\n")
        return BAD_INPUT
    command = COMMANDS[name]
    if rest in (["-h"], ["--help"]):
        sys.stdout.write(examples(name, command))
        sys.stdout.flush()
    mode = ["--run_mode", command.mode] if command.mode else []
    os.environ[entry.CALLED] = f"cinelex {name}"
    try:
        return entry.main([command.module, *mode, *rest])
    finally:
        del os.environ[entry.CALLED]


def overview() -> str:
    """Return the list of commands."""
    return "\n".join(["usage: cinelex COMMAND …", *_listed(), ""])


def _listed() -> Iterator[str]:
    columns = shutil.get_terminal_size().columns
    for group in GROUPS:
        yield f"\n{group}:"
        for name, command in COMMANDS.items():
            if command.group == group:
                yield textwrap.fill(
                    command.what,
                    columns,
                    initial_indent=f"  {name:<{WIDTH}}",
                    subsequent_indent=" " * (WIDTH + 2),
                )
    yield "\ncinelex COMMAND --help shows examples and options."


def examples(name: str, command: Command) -> str:
    """Return what a command does and how it is called."""
    lines = [f"{command.what[0].upper()}{command.what[1:]}.\n"]
    for example in command.examples:
        line, _, comment = example.partition("  # ")
        lines += [f"  # {comment}"] * bool(comment) + [f"  cinelex {name} {line}\n"]
    return "\n".join([*lines, ""])


def unknown(name: str) -> str:
    """Return what to say about a word that is no command."""
    from cinelex.config.nearest import hint  # here, for it loads pydantic

    return f"cinelex has no command {name!r}; {hint(name, COMMANDS)}"


def parser_of(command: Command) -> ArgumentParser:
    """Return the options of a command; its module is loaded."""
    loaded = importlib.import_module(command.module)
    made: ArgumentParser = loaded.parser(command.mode) if command.mode else loaded.parser()
    return made


if __name__ == "__main__":
    sys.exit(main())
