"""Batches made ahead come in order, by as many threads as waiting calls for."""

import threading
from collections import Counter
from concurrent.futures import Future

import pytest

from cinelex.data import ahead
from cinelex.data.ahead import Workers, made_ahead


@pytest.mark.parametrize("workers", [0, 1, 4, "auto"])
def test_what_is_made_comes_in_order(workers: Workers) -> None:
    assert list(made_ahead(lambda step: 3 * step, range(9), workers)) == list(range(0, 27, 3))


@pytest.mark.parametrize("has_waited", [True, False])
def test_a_thread_is_added_whenever_a_step_had_to_wait(
    has_waited: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "own_cores", lambda: 3)
    monkeypatch.setattr(Future, "done", lambda _: not has_waited)
    made, together = Counter[str](), threading.Barrier(3)

    def make(step: int) -> int:
        made[threading.current_thread().name] += 1
        if has_waited and step in (2, 3, 4):  # after two waits three threads make these at once
            together.wait(timeout=60)
        return step

    assert list(made_ahead(make, range(8), "auto")) == list(range(8))
    assert len(made) == 3 if has_waited else len(made) <= 2
