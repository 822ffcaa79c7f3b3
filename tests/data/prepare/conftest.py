"""The children's work, done at once and in this process, for tests that are not about children."""

from collections.abc import Iterator
from typing import Any

import pytest

from cinelex.core.children import Child
from cinelex.data.prepare import worker_pool
from cinelex.data.prepare.child import answers_to


class Hand(Child):
    """Answers as a child does."""

    def ask(
        self, request: dict[str, Any], *, answers: int, deadline_s: float
    ) -> Iterator[dict[str, Any]]:
        yield from answers_to(request)


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing start a process."""
    monkeypatch.setattr(worker_pool, "Child", Hand)
