"""Progress that a person can watch and that a log file can bear."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

from cinelex.core.console import speaks_for_all

Item = TypeVar("Item")

LINE_EVERY_S = 10.0


def progress(iterable: Iterable[Item], *, total: int | None, what: str) -> Iterator[Item]:
    """Yield the items and show on stderr how far it is.

    A terminal gets a bar; anything else gets a plain line about every ten seconds. Only the main
    process speaks.

    Args:
        iterable: What to go through.
        total: How many items there will be; None where nobody knows.
        what: What the items are, in the plural, such as "studies".
    """
    if not speaks_for_all():
        yield from iterable
    elif sys.stderr.isatty():
        yield from tqdm(iterable, total=total, desc=what, file=sys.stderr)
    else:
        yield from _with_lines(iterable, total=total, what=what)


def _with_lines(iterable: Iterable[Item], *, total: int | None, what: str) -> Iterator[Item]:
    """Yield the items and write a line now and then."""
    started = last = time.monotonic()
    for count, item in enumerate(iterable, start=1):
        yield item
        now = time.monotonic()
        if now - last >= LINE_EVERY_S:
            last = now
            of_total = "" if total is None else f" of {total}"
            sys.stderr.write(f"{what}: {count}{of_total} after {now - started:.0f} s\n")
            sys.stderr.flush()
