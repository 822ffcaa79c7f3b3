"""What one swept key may become: one of a few values, or a number of a distribution of scipy's."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil, floor
from typing import Any

from optuna.trial import Trial
from pydantic import JsonValue

ROUNDING = 1e-9
"""Relative error that a number may have after a way through JSON and another language."""


@dataclass(frozen=True)
class Choice:
    """One of a few values of any type, equally likely unless probabilities are given."""

    values: tuple[JsonValue, ...]
    probabilities: tuple[float, ...] | None = None
    """Of each value; they sum to 1."""

    def draw(self, trial: Trial, key: str) -> float:
        """Let Optuna choose an index, or a cumulative probability."""
        if self.probabilities is None:
            return int(trial.suggest_categorical(key, range(len(self.values))))
        return trial.suggest_float(key, 0.0, 1.0)

    def value(self, drawn: float) -> JsonValue:
        """Return the value for what Optuna chose."""
        if self.probabilities is None:
            return self.values[int(drawn)]
        passed = (n for n, limit in enumerate(accumulate(self.probabilities)) if drawn <= limit)
        return self.values[next(passed, len(self.values) - 1)]

    def ends(self) -> Sequence[JsonValue]:
        """Return every value: none of them follows from another."""
        return self.values

    def grid(self) -> Sequence[float]:
        """Return what Optuna would choose for each value, in order."""
        if self.probabilities is None:
            return range(len(self.values))
        limits = accumulate(self.probabilities)
        return [end - share / 2 for end, share in zip(limits, self.probabilities, strict=True)]

    def contains(self, value: JsonValue) -> bool:
        """Return whether this very value, of this very type, is among them."""
        texts = {json.dumps(known, sort_keys=True) for known in self.values}
        return json.dumps(value, sort_keys=True) in texts

    def position(self, value: JsonValue) -> float | None:
        """Return where a value stands along an axis from 0 to 1; None where it is not on it."""
        if not self.contains(value):
            return None
        return self.values.index(value) / max(1, len(self.values) - 1)


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """Numbers with a distribution of scipy's, of which Optuna chooses a cumulative probability."""

    law: Any
    """The frozen distribution."""
    low: float
    """The least value."""
    high: float
    """The greatest value."""
    q: float | None = None
    """Values are rounded to multiples of it; None for a continuum. A whole one gives whole ones."""
    tail: float = 0.0
    """Probability beyond each end, which is cut off."""

    def draw(self, trial: Trial, key: str) -> float:
        """Let Optuna choose a cumulative probability."""
        return trial.suggest_float(key, self.tail, 1 - self.tail)

    def value(self, drawn: float) -> JsonValue:
        """Return the quantile, rounded to a multiple of ``q`` that lies between the ends."""
        number = min(max(float(self.law.ppf(drawn)), self.low), self.high)
        if self.q is None:
            return number
        steps = self.steps(self.q)
        return _multiple(min(max(round(number / self.q), steps[0]), steps[-1]), self.q)

    def ends(self) -> Sequence[JsonValue]:
        """Return the least and the greatest value."""
        if self.q is None:
            return (self.low, self.high)
        steps = self.steps(self.q)
        return (_multiple(steps[0], self.q), _multiple(steps[-1], self.q))

    def grid(self) -> Sequence[float] | None:
        """Return what Optuna would choose for each multiple of ``q``; None for a continuum."""
        if self.q is None or self.tail:
            return None
        return [float(self.law.cdf(n * self.q)) for n in self.steps(self.q)]

    def contains(self, value: JsonValue) -> bool:
        """Return whether a number lies between the ends, or is what one is rounded to."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        slack = ROUNDING * max(abs(self.low), abs(self.high)) + (self.q or 0) / 2
        if not self.low - slack <= value <= self.high + slack:
            return False
        steps = value / self.q if self.q else 0.0
        return abs(steps - round(steps)) <= ROUNDING * max(1.0, abs(steps))

    def position(self, value: JsonValue) -> float | None:
        """Return where a number stands along an axis on which all that is drawn lies evenly."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        first, here, last = (float(self.law.cdf(one)) for one in (self.low, value, self.high))
        return (here - first) / (last - first)

    def steps(self, q: float) -> range:
        """Return what ``q`` is to be multiplied with for each multiple between the ends."""
        return range(ceil(self.low / q - ROUNDING), floor(self.high / q + ROUNDING) + 1)


def _multiple(steps: int, q: float) -> JsonValue:
    return steps * q if isinstance(q, int) else float(f"{steps * q:.12g}")


Distribution = Choice | Numbers


def draw(trial: Trial, parameters: Mapping[str, Distribution]) -> dict[str, JsonValue]:
    """Let Optuna choose a value for each key; what a trial has chosen already stays."""
    return {
        key: parameter.value(0 if is_constant(parameter) else parameter.draw(trial, key))
        for key, parameter in parameters.items()
    }


def is_constant(parameter: Distribution) -> bool:
    """Return whether there is only one value."""
    return isinstance(parameter, Choice) and len(parameter.values) == 1
