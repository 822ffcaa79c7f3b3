"""The distributions of W&B's sweep files: what can be drawn, what is drawn, and what cannot be."""

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import NormalDist

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from pydantic import JsonValue

TAIL = 1e-3
"""Probability that is cut off at each end of a normal distribution, so that it has ends."""
ROUNDING = 1e-9
"""Relative error that a number may have after a way through JSON and another language."""


class Distribution(ABC):
    """What one swept key may become. A sampler draws a plain number or choice behind it."""

    @abstractmethod
    def drawn_from(self) -> BaseDistribution:
        """Return what Optuna draws from."""

    @abstractmethod
    def value(self, drawn: float | int | str) -> JsonValue:
        """Return the config's value for what was drawn."""

    @abstractmethod
    def ends(self) -> Sequence[JsonValue]:
        """Return the values that must be valid so that all others are: both ends, or every one."""

    @abstractmethod
    def grid(self) -> Sequence[float | int | str] | None:
        """Return everything that can be drawn, in order, or None where that is a continuum."""

    @abstractmethod
    def contains(self, value: JsonValue) -> bool:
        """Return whether a value, of the right type, may come out of here."""

    def place(self, value: JsonValue) -> float | None:
        """Return where a value stands, from 0 to 1, along an axis; None where it is not on it."""
        ends = list(self.ends())
        if value not in ends:
            return None
        return ends.index(value) / max(1, len(ends) - 1)


@dataclass(frozen=True)
class Choice(Distribution):
    """One of a few values of any type, equally likely unless probabilities are given."""

    values: tuple[JsonValue, ...]
    probabilities: tuple[float, ...] | None = None
    """Of each value; they sum to 1."""

    def drawn_from(self) -> BaseDistribution:
        """Return the values as JSON, or a share of the cumulative probability."""
        if self.probabilities is None:
            return CategoricalDistribution([json.dumps(value) for value in self.values])
        return FloatDistribution(0.0, 1.0)

    def value(self, drawn: float | int | str) -> JsonValue:
        """Return the value of a JSON text or of a cumulative probability."""
        if isinstance(drawn, str):
            found: JsonValue = json.loads(drawn)
            return found
        assert self.probabilities is not None
        limits = accumulate(self.probabilities)
        passed = (place for place, limit in enumerate(limits) if drawn <= limit)
        return self.values[next(passed, len(self.values) - 1)]

    def ends(self) -> Sequence[JsonValue]:
        """Return every value: none of them follows from another."""
        return self.values

    def grid(self) -> Sequence[float | int | str] | None:
        """Return every value as JSON; with probabilities, the middle of each one's share."""
        if self.probabilities is None:
            return [json.dumps(value) for value in self.values]
        limits = accumulate(self.probabilities)
        return [end - share / 2 for end, share in zip(limits, self.probabilities, strict=True)]

    def contains(self, value: JsonValue) -> bool:
        """Return whether this very value, of this very type, is among them."""
        texts = {json.dumps(known, sort_keys=True) for known in self.values}
        return json.dumps(value, sort_keys=True) in texts


@dataclass(frozen=True, kw_only=True)
class Range(Distribution):
    """Numbers between two ends, evenly spread, or evenly in their logarithm."""

    low: float
    """The least value."""
    high: float
    """The greatest value."""
    log: bool = False
    """Whether the logarithm is what is evenly spread."""
    step: float | None = None
    """Values are multiples of it; None for a continuum. A whole step gives whole numbers."""

    def drawn_from(self) -> BaseDistribution:
        """Return the number of steps where steps are even, else the value before rounding."""
        if self.step is not None and not self.log:
            return IntDistribution(*self._steps(self.step))
        return FloatDistribution(self.low, self.high, log=self.log)

    def value(self, drawn: float | int | str) -> JsonValue:
        """Return a number of steps as a value, or a number rounded to a step."""
        number = float(drawn)
        if self.step is None:
            return number
        steps = round(number / self.step) if self.log else int(number)
        return self._multiple(steps, self.step)

    def ends(self) -> Sequence[JsonValue]:
        """Return the least and the greatest value."""
        if self.step is None:
            return (float(self.low), float(self.high))
        return tuple(self._multiple(steps, self.step) for steps in self._steps(self.step))

    def grid(self) -> Sequence[float | int | str] | None:
        """Return every multiple of the step; None without an even one."""
        if self.step is None or self.log:
            return None
        first, last = self._steps(self.step)
        return range(first, last + 1)

    def contains(self, value: JsonValue) -> bool:
        """Return whether a number lies between the ends and on a step."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        low, high = (float(str(end)) for end in self.ends())
        slack = ROUNDING * max(abs(low), abs(high))
        if not low - slack <= value <= high + slack:
            return False
        if self.step is None:
            return True
        steps = value / self.step
        return abs(steps - round(steps)) <= ROUNDING * max(1.0, abs(steps))

    def place(self, value: JsonValue) -> float | None:
        """Return where a number stands between the ends, on this range's own scale."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        low, high, number = float(self.low), float(self.high), float(value)
        if self.log:
            if number <= 0:
                return None
            low, high, number = math.log(low), math.log(high), math.log(number)
        return (number - low) / (high - low)

    def _steps(self, step: float) -> tuple[int, int]:
        if self.log:
            return max(1, round(self.low / step)), round(self.high / step)
        return math.ceil(self.low / step - ROUNDING), math.floor(self.high / step + ROUNDING)

    def _multiple(self, steps: int, step: float) -> JsonValue:
        steps = max(steps, 1) if self.log else steps
        if isinstance(step, int):
            return steps * step
        return float(f"{steps * step:.12g}")


@dataclass(frozen=True, kw_only=True)
class Normal(Distribution):
    """Normally distributed numbers, or numbers whose logarithm is, cut off in the far tails."""

    mu: float = 0.0
    """Mean, of the logarithm where ``log`` is set."""
    sigma: float = 1.0
    """Standard deviation, of the logarithm where ``log`` is set."""
    log: bool = False
    step: float | None = None
    """Values are rounded to multiples of it; None for a continuum."""

    def drawn_from(self) -> BaseDistribution:
        """Return the probability of a smaller value."""
        return FloatDistribution(TAIL, 1 - TAIL)

    def value(self, drawn: float | int | str) -> JsonValue:
        """Return the quantile."""
        number = self.mu + self.sigma * NormalDist().inv_cdf(float(drawn))
        number = math.exp(number) if self.log else number
        if self.step is None:
            return number
        steps = round(number / self.step)
        return steps * self.step if isinstance(self.step, int) else float(f"{steps * self.step:g}")

    def ends(self) -> Sequence[JsonValue]:
        """Return both ends of what is left after the tails are cut off."""
        return (self.value(TAIL), self.value(1 - TAIL))

    def grid(self) -> Sequence[float | int | str] | None:
        """Return None: a continuum."""
        return None

    def contains(self, value: JsonValue) -> bool:
        """Return whether a number lies between the ends."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        low, high = (float(str(end)) for end in self.ends())
        slack = ROUNDING * max(abs(low), abs(high))
        return low - slack <= value <= high + slack

    def place(self, value: JsonValue) -> float | None:
        """Return where a number stands between the ends."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        low, high = (float(str(end)) for end in self.ends())
        return (float(value) - low) / (high - low)
