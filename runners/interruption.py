"""A polite end: the step in hand is finished and saved before the process leaves."""

import signal
from types import FrameType, TracebackType

import torch

from core.distributed import sum_over_ranks, world_size


class Interruption:
    """While open, turns the first Ctrl-C or SIGTERM into a request that the loop reads.

    A second one ends the process at once, as it would without this class.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self._asked = False
        self._before: dict[int, signal.Handlers] = {}

    def __enter__(self) -> "Interruption":
        for number in self.SIGNALS:
            self._before[number] = signal.signal(number, self._note)  # type: ignore[assignment]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._restore()

    def requested(self) -> bool:
        """Return True on every rank once any rank was asked to stop."""
        if world_size() == 1:
            return self._asked
        return bool(sum_over_ranks(torch.tensor(float(self._asked))) > 0)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
