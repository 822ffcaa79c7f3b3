"""All commands, from their own help."""

import contextlib
import importlib
import io
import itertools
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import dedent

import griffe

from cinelex.projects import PROJECTS
from cinelex.scripts import command
from cinelex.scripts.commands import COMMANDS
from cinelex.scripts.modes import MODES
from docs.generate.api import modules
from docs.generate.markdown import code, sentence, table

SCRIPTS = Path("scripts")


def commands(package: griffe.Object) -> str:
    """Return what stands on top of each script, and what its program says of itself."""
    return "\n".join(_commands(package))


def exit_codes(package: griffe.Object) -> str:
    """Return a table of the codes that processes end with."""
    rows = [
        [code(member.value), code(name), sentence(member)]
        for name, member in package["core.exit_codes"].members.items()
        if member.docstring
    ]
    return table(["code", "name", "meaning"], [["`0`", "", "Done."], *rows])


def run_modes(_package: griffe.Object) -> str:
    """Return a table of what ``--run_mode`` can be, for every project and for one."""
    rows = [[code(name), "all", mode.help] for name, mode in MODES.items()]
    rows += [
        [code(" ".join([name, mode.words]).strip()), code(project), mode.help]
        for project, entry in PROJECTS.items()
        for name, mode in entry.modes.items()
    ]
    return table(["`--run_mode`", "project", "does"], rows)


def _commands(package: griffe.Object) -> Iterator[str]:
    started = set()
    for script in sorted(SCRIPTS.glob("*.sh"), key=_rank):
        text = script.read_text(encoding="utf-8")
        programs = re.findall(r'"\$python" -m (?:cinelex\.core\.entry )?(cinelex\.\S+)', text)
        if programs:
            started.add(programs[0])
            said, _, typed = _comment(text).partition("\n\n")
            yield f"## `bash scripts/{script.name}`\n\n{said}\n\n```text\n{dedent(typed)}\n```\n"
            yield _help(programs[0])
    yield f"## `cinelex`\n\n{sentence(package['scripts.command'])}\n"
    yield _help(command.__name__)
    started |= {command.__name__, *(entry.module for entry in COMMANDS.values())}
    for module in modules(package["scripts"]):
        if module.path not in started and "main" in module.members:
            yield f"## `python -m {module.path}`\n\n{sentence(module)}\n"
            yield _help(module.path)


def _rank(script: Path) -> tuple[bool, str]:
    """Return what puts the main command first."""
    return script.name != "runner.sh", script.name


def _comment(text: str) -> str:
    """Return the comment on top of a script, as it stands there."""
    lines = itertools.takewhile(lambda line: line.startswith("#"), text.splitlines()[1:])
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines)


def _help(module: str) -> str:
    """Return what a program says when it is asked for help, also of its own commands."""
    path = f"{module}.__main__" if Path(*module.split("."), "__main__.py").exists() else module
    program = importlib.import_module(path)
    return "".join(
        f"```text\n{_said(program.main, [*command, '--help'])}```\n\n"
        for command in [[], *([name] for name in getattr(program, "COMMANDS", ()))]
    )


def _said(main: object, arguments: Sequence[str]) -> str:
    assert callable(main)
    os.environ["COLUMNS"] = "80"
    with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.suppress(SystemExit):
        main(arguments)
    return said.getvalue()
