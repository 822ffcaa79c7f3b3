"""What a run says to the person who started it."""

import sys
from collections.abc import Callable

from cinelex.core.distributed import is_main
from cinelex.core.errors import UserError
from cinelex.core.exit_codes import BAD_INPUT


def say(text: str) -> None:
    """Write a line to standard output, at once, from the main process only."""
    if is_main():
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def exit_code(run: Callable[[], int]) -> int:
    """Return a command's exit code: 2 where it refuses its input, after one line on why."""
    try:
        return run()
    except UserError as problem:
        sys.stderr.write(f"error: {problem}\n")
        return BAD_INPUT
