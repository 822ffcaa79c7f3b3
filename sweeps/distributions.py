"""What one swept key may become: values with a distribution of scipy's, of which Optuna draws."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

from optuna.trial import Trial
from pydantic import JsonValue

ROUNDING = 1e-9
"""Relative error that a number may have after a way through JSON and another language."""


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """A value is the quantile of a cumulative probability, which is what Optuna draws."""

    law: Any
    """The frozen distribution, a continuous one, of numbers or of the indices of ``choices``."""
    low: float
    """The least number; what the law has below is cut off."""
    high: float
    """The greatest number."""
    q: float | None = None
    """Numbers are multiples of it, whole ones where it is whole; None for a continuum."""
    choices: tuple[JsonValue, ...] = ()
    """What the numbers stand for; empty where they stand for themselves."""
    ordered: bool = True
    """Whether a sampler may take neighbours for similar."""

    @property
    def is_constant(self) -> bool:
        """Return whether there is only one value."""
        return len(self.choices) == 1

    def draw(self, trial: Trial, key: str) -> JsonValue:
        """Let Optuna choose a value; what a trial has chosen already stays."""
        if self.is_constant:
            return self.choices[0]
        if not self.ordered:
            return self.value(float(trial.suggest_categorical(key, self.grid())))
        return self.value(trial.suggest_float(key, 0.0, 1.0))

    def value(self, probability: float) -> JsonValue:
        """Return the quantile, rounded to a multiple of ``q`` that lies between the ends."""
        number = min(max(float(self.law.ppf(probability)), self.low), self.high)
        if self.q is None:
            return number
        steps = self.steps(self.q)
        return self._of(min(max(round(number / self.q), steps[0]), steps[-1]))

    def ends(self) -> Sequence[JsonValue]:
        """Return the values that must be valid so that all are: both ends, or every choice."""
        if self.q is None or self.choices:
            return self.choices or (self.low, self.high)
        steps = self.steps(self.q)
        return (self._of(steps[0]), self._of(steps[-1]))

    def grid(self) -> Sequence[float]:
        """Return a probability for each value, in order; none for a continuum."""
        return [float(self.law.cdf(n * self.q)) for n in self.steps(self.q)] if self.q else []

    def contains(self, value: JsonValue) -> bool:
        """Return whether this very choice is among them, or a number between the ends.

        A number that another program rounded may lie half a ``q`` beyond them.
        """
        number = self._number(value)
        if number is None:
            return False
        slack = ROUNDING * max(abs(self.low), abs(self.high)) + (self.q or 0) / 2
        steps = number / self.q if self.q else 0.0
        on_a_step = abs(steps - round(steps)) <= ROUNDING * max(1.0, abs(steps))
        return on_a_step and self.low - slack <= number <= self.high + slack

    def position(self, value: JsonValue) -> float | None:
        """Return where a value stands along an axis on which all lie evenly; None if nowhere."""
        number = self._number(value)
        if number is None or self.is_constant:
            return number
        first, here, last = self.law.cdf([self.low, number, self.high]).tolist()
        return min(max((here - first) / (last - first), 0.0), 1.0)

    def steps(self, q: float) -> range:
        """Return what ``q`` is to be multiplied with for each multiple between the ends."""
        return range(ceil(self.low / q - ROUNDING), floor(self.high / q + ROUNDING) + 1)

    def _number(self, value: JsonValue) -> float | None:
        """Return the index of a choice, or a number itself; None for whatever is neither."""
        if self.choices:
            known = [json.dumps(choice, sort_keys=True) for choice in self.choices]
            text = json.dumps(value, sort_keys=True)
            return known.index(text) if text in known else None
        return None if isinstance(value, bool) or not isinstance(value, int | float) else value

    def _of(self, steps: int) -> JsonValue:
        if self.choices:
            return self.choices[steps]
        return steps * self.q if isinstance(self.q, int) else float(f"{steps * (self.q or 1):.12g}")


def draw(trial: Trial, parameters: Mapping[str, Distribution]) -> dict[str, JsonValue]:
    """Let Optuna choose a value for each key."""
    return {key: parameter.draw(trial, key) for key, parameter in parameters.items()}
