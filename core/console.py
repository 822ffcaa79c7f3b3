"""What a run says to the person who started it."""

import sys


def say(text: str) -> None:
    """Write a line to standard output, at once, from the main process only."""
    if speaks_for_all():
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def speaks_for_all() -> bool:
    """Return whether this is the main process, without loading torch where nobody else has."""
    if "torch" not in sys.modules:
        return True
    from cinelex.core.distributed import is_main

    return is_main()
