"""Batches made by threads before they are asked for."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Literal, TypeVar

from cinelex.core.cores import own_cores

Made = TypeVar("Made")
AHEAD = 3
"""Batches made ahead of the one in use."""
Workers = int | Literal["auto"]
"""Threads that make batches; ``auto`` takes one more whenever somebody had to wait for a batch."""


def made_ahead(
    make: Callable[[int], Made], steps: Iterable[int], workers: Workers
) -> Iterator[Made]:
    """Yield ``make(step)`` in order, made ahead by threads; without workers, by the caller's.

    How many threads there are changes nothing but the time.
    """
    if workers == 0:
        yield from map(make, steps)
        return
    waiting: deque[Future[Made]] = deque()
    most = own_cores() if workers == "auto" else workers
    ahead = 1 if workers == "auto" else max(AHEAD, workers)
    pool = ThreadPoolExecutor(most, thread_name_prefix="batches")  # a thread starts when needed
    try:
        for step in steps:
            waiting.append(pool.submit(make, step))
            if len(waiting) <= ahead:
                continue
            if workers == "auto" and not waiting[0].done():
                ahead = min(ahead + 1, most)
            yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
