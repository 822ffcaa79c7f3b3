"""Start a command so that Ctrl-C is one line and exit code 130, at whatever moment it comes.

``python -m cinelex.core.entry MODULE ARGUMENTS...`` runs ``MODULE.main(ARGUMENTS)``. Loading the
libraries takes seconds, so this module loads none before it answers the signal.
"""

import argparse
import errno
import functools
import importlib
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any, ParamSpec

from cinelex.core.errors import UserError
from cinelex.core.exit_codes import BAD_INPUT, INTERRUPTED
from cinelex.core.extras import how_to_install

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

Given = ParamSpec("Given")
CALLED = "CINELEX_COMMAND"
"""Environment variable: what the user typed, such as ``cinelex doctor``."""
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})
"""Of a disk that is full, of a share that is used up, of a file too large, of a disk to read."""
FAILING = frozenset({errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.EREMOTEIO})
"""Of a disk that breaks, and of a folder on a network that is away."""
NO_PATH = frozenset({errno.ENAMETOOLONG, errno.ELOOP})
"""Of a path that no disk has: too long a name, links that lead round."""
SAID = "interrupted; the same command resumes from what was saved\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Load a module and run its ``main``; return its exit code."""
    module, *rest = sys.argv[1:] if arguments is None else arguments
    signal.signal(signal.SIGINT, leave_at_once)
    try:
        loaded = importlib.import_module(module)
    except ModuleNotFoundError as problem:
        return _without_extra(problem)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return guarded(lambda: loaded.main(rest))


def prog(script: str) -> str:
    """Return what the user typed: a command of ``cinelex``, or else the script."""
    return os.environ.get(CALLED, script)


class Help(argparse.HelpFormatter):
    """Help that says what holds where an option is left out."""

    def _get_help_string(self, action: argparse.Action) -> str:
        said = action.help or ""
        known = not action.default or action.default == argparse.SUPPRESS or "default" in said
        return said if known or not action.option_strings else f"{said} (default: %(default)s)"


class CommandLine(argparse.ArgumentParser):
    """The options of a command and of the commands below it, each to be written out in full."""

    def __init__(self, **told: Any) -> None:
        options: dict[str, Any] = {"formatter_class": Help, "allow_abbrev": False} | told
        super().__init__(**options)

    def add_commands(
        self, parts: Mapping[str, tuple[str, Callable[[argparse.ArgumentParser], None]]]
    ) -> None:
        """Add commands below this one.

        Args:
            parts: By name what it does, for the list and on top of its own help, and who adds its
                options.
        """
        commands = self.add_subparsers(dest="command", required=True)
        for name, (what, add_options) in parts.items():
            add_options(
                commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
            )


def command(run: Callable[Given, int]) -> Callable[Given, int]:
    """Let a command return 2, after one line on why, where it refuses what it was given.

    So it does where the disk takes no more, or fails.
    """

    @functools.wraps(run)
    def refusing(*args: Given.args, **kwargs: Given.kwargs) -> int:
        try:
            return run(*args, **kwargs)
        except UserError as problem:
            line = str(problem)
        except OSError as problem:
            line = disk_refusal(problem)
        sys.stderr.write(f"error: {line}\n")
        return BAD_INPUT

    return refusing


def disk_refusal(problem: OSError) -> str:
    """Return a line about a disk that takes nothing; paths may name patients, so it has none.

    Raises:
        OSError: It is about something else.
    """
    if problem.errno in NO_PATH:
        return f"a path that was given leads nowhere ({problem.strerror}); look at each of them"
    if problem.errno in FAILING:
        return (
            f"a disk, or a folder on the network, fails ({problem.strerror}); start the same "
            "command again when it works: nothing that was saved before is changed"
        )
    if problem.errno not in NO_ROOM:
        raise problem
    return (
        f"the disk takes no more ({problem.strerror}); make room, or name another folder (--out, "
        "folder=, data.cache=); nothing that was saved before is changed"
    )


def guarded(run: Callable[[], int]) -> int:
    """Return what ``run`` returns; 130, after one line, where Ctrl-C ends it.

    Where a library of an extra is missing, one line says which to install, and 2 is returned.
    """
    sys.unraisablehook = _unraisable
    try:
        return run()
    except ModuleNotFoundError as problem:
        return _without_extra(problem)
    except KeyboardInterrupt:
        # what is cleaned up from now on is not to be interrupted again
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        return _interrupted()


def _without_extra(problem: ModuleNotFoundError) -> int:
    """Say which extra is missing; a module of no extra is a fault of the program."""
    line = how_to_install(problem.name or "")
    if line is None:
        raise problem
    sys.stderr.write(f"error: {line}\n")
    return BAD_INPUT


def _interrupted() -> int:
    """Say so, once for all processes that work together."""
    if "torch" not in sys.modules:
        sys.stderr.write(SAID)
        return INTERRUPTED
    from cinelex.core.distributed import leave, speaks_first, world_size

    if speaks_first():
        sys.stderr.write(SAID)
    if world_size() > 1:
        leave(INTERRUPTED)
    return INTERRUPTED


def leave_at_once(number: int, frame: FrameType | None) -> None:
    """End this process, which has begun nothing yet; of several that start together one says so."""
    if os.environ.get("RANK", "0") == "0":
        sys.stderr.write(SAID)
    sys.stderr.flush()
    os._exit(INTERRUPTED)


def _unraisable(problem: "UnraisableHookArgs") -> None:
    """Leave where Ctrl-C comes in a place that no exception gets out of, such as a destructor."""
    if issubclass(problem.exc_type, KeyboardInterrupt):
        leave_at_once(signal.SIGINT, None)
    sys.__unraisablehook__(problem)


if __name__ == "__main__":
    sys.exit(main())
