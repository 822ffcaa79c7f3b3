"""How fast a run is: samples and operations a second, the share of the device's rate, memory."""

import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from statistics import median
from typing import TypeVar

import torch

from cinelex.config.schema import RunConfig
from cinelex.core.distributed import world_size
from cinelex.runners.hardware import uses_bf16
from cinelex.runners.operations import ModelOperations

Given = TypeVar("Given")
GIB = 2**30
SIDES = {"cpu": 512, "cuda": 8192}
"""Of the square matrices that the device's rate is measured with: 1 MiB, and 128 MiB in bf16."""
REPEATS = 7


def matmul_rate(device: torch.device, *, bf16: bool, side: int | None = None) -> float:
    """Return how many operations a second a large matrix product takes there, as it is used."""
    side = side or SIDES[device.type]
    one = torch.empty(side, side, device=device, dtype=torch.bfloat16 if bf16 else torch.float32)
    one.copy_(torch.linspace(-1, 1, side))  # no draw: a run's random numbers stay as they are
    took = []
    for _ in range(REPEATS):
        wait_for(device)
        began = time.perf_counter()
        one @ one
        wait_for(device)
        took.append(time.perf_counter() - began)
    return 2 * side**3 / median(took)


def wait_for(device: torch.device) -> None:
    """Wait until a device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class Meter:
    """Adds up the steps since the record was written last.

    The operations of a step are counted in the first update of this process, whose time is not
    reported, and taken to grow with the samples of a step; see `ModelOperations` for what counts.
    """

    def __init__(self, config: RunConfig, device: torch.device) -> None:
        """Start to measure a run, on the device of this process."""
        self.device, self._bf16 = device, uses_bf16(config, device)
        self._twice = config.gradient_accumulation_steps > 1
        self._compiled = config.compile is not None
        """No mode can look into a compiled block."""
        self._aside: Callable[[], AbstractContextManager[None]] = nullcontext
        self._operations: float | None = None
        """Of one sample, forward and backward."""
        self.restart()

    @cached_property
    def rate(self) -> float:
        """Return the operations a second that this device reaches in a matrix product."""
        return matmul_rate(self.device, bf16=self._bf16)

    def restart(self) -> None:
        """Begin anew, after something that is no step."""
        self._counts: Counter[str] = Counter()
        self._warming_up, self._waited_s = self._operations is None, 0.0
        self._began = time.perf_counter()

    @contextmanager
    def step(self, counts: Mapping[str, int], *, waited_s: float) -> Iterator[None]:
        """Take a step into account, whose forward and backward pass run within.

        Args:
            counts: What this process's share of the batch holds; its samples come first.
            waited_s: Seconds for which it was waited for.
        """
        self._counts.update(counts)
        self._waited_s += waited_s
        if self._operations is not None:
            yield
            return
        found = ModelOperations(twice=self._twice)
        with self._eager(), found:
            self._aside = found.aside
            yield
        self._aside = nullcontext
        samples = next(iter(counts.values()), 0)
        self._operations = found.total / samples if samples else 0.0

    def without(self, look: Callable[[Given], None]) -> Callable[[Given], None]:
        """Return what does the same as ``look`` within a step, and is no part of it."""

        def aside(given: Given) -> None:
            with self._aside():
                look(given)

        return aside

    @contextmanager
    def _eager(self) -> Iterator[None]:
        if not self._compiled:
            yield
            return
        torch.compiler.set_stance("force_eager")
        try:
            yield
        finally:
            torch.compiler.set_stance("default")

    def take(self) -> dict[str, float]:
        """Return `numbers`, and begin anew."""
        found = self.numbers()
        self.restart()
        return found

    def numbers(self) -> dict[str, float]:
        """Return the speeds of all processes together, and the share that this one reaches.

        Nothing while it warms up. Waits for the device.
        """
        wait_for(self.device)
        seconds = time.perf_counter() - self._began
        if self._warming_up or not self._counts:
            return {}
        samples = next(iter(self._counts.values()))
        done = (self._operations or 0.0) * samples
        return {
            **{
                f"speed/{name}_per_s": world_size() * count / seconds
                for name, count in self._counts.items()
            },
            "speed/model_tflop_per_s": world_size() * done / seconds / 1e12,
            "speed/mfu": done / seconds / self.rate,
            "speed/stall_share": self._waited_s / seconds,
            "speed/memory_gib": self._memory() / GIB,
        }

    def _memory(self) -> int:
        """Return the bytes that this process has held at most, on its device."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else 1024 * peak
