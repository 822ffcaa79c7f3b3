"""A worker in the test's own process, whose trainings are answers that the test wrote down."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cinelex.sweeps import worker as worker_module
from cinelex.sweeps.settings import Sweep
from cinelex.sweeps.slots import cpu_slots
from cinelex.sweeps.worker import Worker

ENTRY = {"value": 0.5, "low": 0.4, "high": 0.6, "chance": 0.01}
RESULTS = {"retrieval": {"study_to_report": {"recall_at_1": ENTRY}}}
Answer = str | Exception


def quick_worker(sweep: Sweep, name: str = "me") -> Worker:
    return Worker(sweep, cpu_slots(1, cores=[0])[0], name)


def answering(
    monkeypatch: pytest.MonkeyPatch, answers: Callable[[], Iterator[Answer]]
) -> list[str]:
    """Let each training end as the next answer says; return the names of those that were asked."""
    asked: list[str] = []
    left = answers()

    def train(sweep: Sweep, task: Any, *others: Any, **told: Any) -> str:
        asked.append(task.name)
        answer = next(left, "finished")
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(worker_module, "train", train)
    monkeypatch.setattr(worker_module, "measured", lambda sweep, task: RESULTS)
    monkeypatch.setattr(worker_module, "record_hash", str)
    monkeypatch.setattr(worker_module, "IDLE_S", 0.0)
    return asked
