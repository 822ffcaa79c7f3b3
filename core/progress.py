"""Progress and remaining time that a person can watch and that a log file can bear."""

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

from cinelex.core.console import speaks_for_all

Item = TypeVar("Item")

LINE_EVERY_S = 10.0
SHOWN_AFTER_S = 5.0
"""What is done sooner needs no bar."""


def progress(
    iterable: Iterable[Item],
    *,
    total: int | None,
    what: str,
    size: Callable[[Item], int] = lambda _: 1,
) -> Iterator[Item]:
    """Yield the items and show on stderr how far it is.

    A terminal gets a bar after five seconds, which goes when all is done; anything else gets a
    plain line about every ten. Both say what is left. Only the main process speaks.

    Args:
        iterable: What to go through.
        total: How many there will be; None where nobody knows.
        what: What is counted, in the plural, such as "studies".
        size: For how many an item counts, where batches are gone through.
    """
    if not speaks_for_all():
        yield from iterable
    elif sys.stderr.isatty():
        with tqdm(total=total, desc=what, file=sys.stderr, leave=False, delay=SHOWN_AFTER_S) as bar:
            for item in iterable:
                yield item
                bar.update(size(item))
    else:
        yield from _with_lines(iterable, total=total, what=what, size=size)


def _with_lines(
    iterable: Iterable[Item], *, total: int | None, what: str, size: Callable[[Item], int]
) -> Iterator[Item]:
    """Yield the items and write a line now and then."""
    started = last = time.monotonic()
    count = 0
    for item in iterable:
        yield item
        count += size(item)
        now = time.monotonic()
        if now - last >= LINE_EVERY_S:
            last = now
            took, of_total, left = now - started, "", ""
            if total is not None:
                of_total = f" of {total}"
                left = f", {duration(took / count * (total - count))} left"
            sys.stderr.write(f"{what}: {count}{of_total} after {duration(took)}{left}\n")
            sys.stderr.flush()


def awaited(
    iterable: Iterable[Item],
    *,
    what: str,
    late_s: float = LINE_EVERY_S,
    write: Callable[[str], object] | None = None,
) -> Iterator[Item]:
    """Yield the items; say so, once for each, where the next one does not come.

    For what has no deadline, such as a folder on a network that does not answer.

    Args:
        iterable: What to go through.
        what: What is waited for, as the line says it.
        late_s: Seconds without an item.
        write: Takes the line; stderr's where it is left out.
    """
    since: float | None = None
    over = threading.Event()

    def watch() -> None:
        said = None
        while not over.wait(late_s / 4):
            asked = since
            if asked not in {None, said} and time.monotonic() - asked >= late_s:
                said = asked
                (write or sys.stderr.write)(f"{what} for {duration(late_s)}; still waiting\n")

    threading.Thread(target=watch, daemon=True).start()
    try:
        since = time.monotonic()
        for item in iterable:
            since = None
            yield item
            since = time.monotonic()
    finally:
        over.set()


def duration(seconds: float) -> str:
    """Return a time for a person, in two units at most: ``40 s``, ``3 min 20 s``, ``2 h 5 min``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
