"""A polite end: the step in hand is finished and saved before the process leaves."""

import signal
from types import FrameType
from typing import Literal

import torch

from cinelex.core.distributed import sum_over_ranks, world_size

Cause = Literal["preempted", "interrupted"]


class Interruption:
    """While open, turns signals on any rank into a request that the loop reads on all ranks.

    SIGTERM and SIGUSR1 come from a scheduler that wants the machine back: the run is preempted, and
    further ones change nothing, so that the save that they asked for can end. Ctrl-C comes from a
    person: a second one ends the process at once, as it would without this class.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)

    def __init__(self) -> None:
        self._cause: Cause | None = None
        self._before: dict[int, signal.Handlers] = {}

    def __enter__(self) -> "Interruption":
        for number in self.SIGNALS:
            self._before[number] = signal.signal(number, self._note)  # type: ignore[assignment]
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def requested(self) -> Cause | None:
        """Return on every rank why any rank was asked to stop; preemption wins."""
        if world_size() == 1:
            return self._cause
        mine = [float(self._cause == cause) for cause in ("preempted", "interrupted")]
        preempted, interrupted = sum_over_ranks(torch.tensor(mine)).tolist()
        if preempted:
            return "preempted"
        return "interrupted" if interrupted else None

    def _note(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT:
            # the second Ctrl-C finds the handler of before
            signal.signal(signal.SIGINT, self._before[signal.SIGINT])
            self._cause = self._cause or "interrupted"
        else:
            self._cause = "preempted"
