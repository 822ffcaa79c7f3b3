"""What a run says to the person who started it."""

import sys

from cinelex.core.distributed import is_main


def say(text: str) -> None:
    """Write a line to standard output, at once, from the main process only."""
    if is_main():
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
