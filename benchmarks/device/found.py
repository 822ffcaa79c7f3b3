"""What a part of the device script finds, and where and how large it is run."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from cinelex.runners.meter import wait_for


@dataclass(frozen=True)
class Found:
    """A line of the table."""

    what: str
    figure: str
    goal: str = "–"
    met: bool | None = None
    """None where nothing is asked for."""


@dataclass(frozen=True)
class Place:
    """Where a part runs."""

    device: torch.device
    tiny: bool
    """At the least sizes that run the same code, to see that it does."""

    def size(self, full: int, tiny: int) -> int:
        """Return a size."""
        return tiny if self.tiny else full

    @property
    def on_gpu(self) -> bool:
        """Return whether a GPU is there."""
        return self.device.type == "cuda"

    @property
    def name(self) -> str:
        """Return what the device is called."""
        return torch.cuda.get_device_name(self.device) if self.on_gpu else "cpu"

    def seconds(self, work: Callable[[], object], *, rounds: int = 5) -> float:
        """Return the median time of the clock, after one round that nobody counts."""
        taken = []
        for _ in range(1 if self.tiny else rounds + 1):
            wait_for(self.device)
            began = time.perf_counter()
            work()
            wait_for(self.device)
            taken.append(time.perf_counter() - began)
        return statistics.median(taken[1:] or taken)

    def peak_gib(self, work: Callable[[], object]) -> float:
        """Return the most memory of the device that is held beyond what was held before."""
        if not self.on_gpu:
            work()
            return 0.0
        torch.cuda.empty_cache()
        before = torch.cuda.memory_allocated(self.device)
        torch.cuda.reset_peak_memory_stats(self.device)
        work()
        wait_for(self.device)
        return (torch.cuda.max_memory_allocated(self.device) - before) / 2**30


def close(what: str, found: float, limit: float) -> Found:
    """Return a line about a difference that must stay below a limit."""
    return Found(what, f"{found:.2g}", f"≤ {limit:g}", found <= limit)
