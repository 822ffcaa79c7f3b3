"""Processes that share out the making of a set."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from cinelex.core.processes import child_environment


def answers_in_turn(module: str, tasks: Sequence[bytes], *, count: int) -> Iterator[Any]:
    """Start ``python -m module`` once a task, and yield a line of JSON of each in turn.

    Things are dealt out to the tasks like cards, so that the lines come in the order of the things.

    Args:
        module: Reads a task from its standard input and writes a line for each thing of it.
        tasks: What each process is to do.
        count: Things in all.
    """
    workers: list[subprocess.Popen[bytes]] = []
    try:
        for task in tasks:
            workers.append(_start(module, task))
        for number in range(count):
            worker = workers[number % len(workers)]
            assert worker.stdout is not None
            line = worker.stdout.readline()
            if not line:
                raise RuntimeError(f"a process of {module} ended early with code {worker.wait()}")
            yield json.loads(line)
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


def _start(module: str, task: bytes) -> "subprocess.Popen[bytes]":
    """Start a worker with its share; it uses one thread and the same modules."""
    worker = subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=child_environment(),
        process_group=0,  # Ctrl-C is for the parent, which ends this
    )
    assert worker.stdin is not None
    try:
        worker.stdin.write(task)
        worker.stdin.close()
    except BaseException:
        # before its input ends, of which it would complain
        worker.kill()
        raise
    worker.stdin = None
    return worker
