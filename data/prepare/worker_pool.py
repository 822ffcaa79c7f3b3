"""Batches of files, shared out to children that may hang, crash or meet a full disk."""

import os
import queue
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

from cinelex.core.children import Child, ChildDiedError, ChildLateError
from cinelex.core.entry import NO_ROOM
from cinelex.core.errors import UserError

CHILD = "cinelex.data.prepare.child"
MAX_DEATHS = 2
"""The first may be somebody else's fault, such as a lack of memory."""

Item = Mapping[str, Any]
Answer = dict[str, Any]
Batch = Sequence[Item]


class WorkerPool:
    """Children that are started when they are first needed, and that go from stage to stage."""

    def __init__(self, workers: int) -> None:
        self._children = [Child(CHILD) for _ in range(workers)]
        self._idle: queue.SimpleQueue[Child] = queue.SimpleQueue()
        for child in self._children:
            self._idle.put(child)
        self._threads = ThreadPoolExecutor(workers)
        self._stop = threading.Event()

    def __enter__(self) -> "WorkerPool":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for child in self._children:
            child.kill()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for child in self._children:
            child.close()

    def carry_out(
        self,
        do: str,
        batches: Sequence[Batch],
        *,
        deadline_s: float,
        common: Mapping[str, Any] | None = None,
    ) -> Iterator[tuple[Batch, list[Answer]]]:
        """Yield every batch with an answer for each of its items, as they are done.

        An item over which the children died or that was late is answered ``{"failure": "died"}``
        or ``{"failure": "deadline"}``.

        Args:
            do: What the children are to do; see ``child``.
            batches: The items, in JSON's types.
            deadline_s: Seconds for each item.
            common: What goes with every batch.

        Raises:
            UserError: The disk has no room; what was yielded is safe.
        """

        def one(batch: Batch) -> tuple[Batch, list[Answer]]:
            child = self._idle.get()
            try:
                return batch, together(child, do, batch, common or {}, deadline_s, self._stop)
            finally:
                self._idle.put(child)

        for job in as_completed([self._threads.submit(one, batch) for batch in batches]):
            yield job.result()


def together(
    child: Child,
    do: str,
    batch: Batch,
    common: Mapping[str, Any],
    deadline_s: float,
    stop: threading.Event,
) -> list[Answer]:
    """Return the answers to a batch, of which the child keeps all or nothing.

    Over whichever item it fails, the others are asked for again without it; nothing is asked for
    after ``stop``.
    """
    failed: dict[int, str] = {}
    deaths: Counter[int] = Counter()
    while not stop.is_set():
        rest = [place for place in range(len(batch)) if place not in failed]
        answers: list[Answer] = []
        request = {**common, "do": do, "items": [dict(batch[place]) for place in rest]}
        try:
            for answer in child.ask(request, answers=len(rest) + 1, deadline_s=deadline_s):
                _check_room(answer)
                answers.append(answer)
        except (ChildDiedError, ChildLateError) as error:
            culprit = rest[min(len(answers), len(rest) - 1)] if rest else 0
            deaths[culprit] += 1
            if isinstance(error, ChildLateError):
                failed[culprit] = "deadline"
            elif deaths[culprit] >= MAX_DEATHS:
                failed[culprit] = "died"
            continue
        found = dict(zip(rest, answers, strict=False))
        return [found.get(place) or {"failure": failed[place]} for place in range(len(batch))]
    return []


def _check_room(answer: Answer) -> None:
    if "store_errno" in answer:
        raise no_room(answer["store_errno"])


def no_room(number: int) -> UserError:
    """Return the error for a disk that takes no more, or takes nothing."""
    remedy = "make room" if number in NO_ROOM else "mend that"
    return UserError(
        f"the disk of --out could not be written to ({os.strerror(number)}); {remedy} and start "
        "the same command again: it resumes from here"
    )
