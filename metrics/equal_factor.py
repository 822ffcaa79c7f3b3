"""Whether several metrics all moved by one and the same factor, which measurements do not do."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

FEWEST_METRICS = 3
FULL = (1.0, 100.0)
"""Shares of all, as a fraction and in percent."""
MAX_P = 0.01
"""Flag only what independent changes of this size would show less often than this."""


@dataclass(frozen=True)
class Rounded:
    """A number as it was printed."""

    value: float
    half_unit: float
    """Half of the last digit's unit."""


def written(value: float) -> Rounded:
    """Return a number of a results file, as exact as it is written there, to three digits at least.

    What was measured has some sixteen digits; what was made from others may have been rounded. A
    measured 0.2 is 32 of 160 and exact, so few digits alone do not make a number coarse.
    """
    digits = Decimal(repr(float(value))).as_tuple()
    assert isinstance(digits.exponent, int), f"not finite: {value}"
    return Rounded(value, min(0.5 * 10.0**digits.exponent, 5e-4 * abs(value)))


@dataclass(frozen=True)
class EqualFactor:
    """Metrics whose relative changes agree as far as their digits can say."""

    names: tuple[str, ...]
    change: float
    """The common relative change, above 0: 0.0408 is 4.08 %."""
    p_value: float
    """Probability that as many independent changes of up to twice this size agree as well."""


def equal_factor(before: Mapping[str, Rounded], after: Mapping[str, Rounded]) -> EqualFactor | None:
    """Return the common factor of all metrics that two measurements share; None if there is none.

    A simulated result often is its baseline times 1.04 where more is better, and over 1.04 or
    times 0.96 where less is, so that sign and inverse do not count. Metrics that are full (exactly
    1, or 100) in both cannot move and are left out; so are those whose two values another metric
    has too, which are one measurement under two names. Fewer than 3 say nothing.
    """
    by_values: dict[tuple[float, float], str] = {}
    for name in before:
        if name in after and _can_move(before[name].value, after[name].value):
            by_values.setdefault((before[name].value, after[name].value), name)
    names = list(by_values.values())
    spans = {name: _changes(before[name], after[name]) for name in names}
    if len(names) < FEWEST_METRICS:
        return None
    best: tuple[float, float] | None = None
    for low, high in spans[names[0]]:
        for name in names[1:]:
            low, high = _overlap((low, high), spans[name])
        if low <= high and low > 0:
            best = (low, high)
            break
    if best is None:
        return None
    change = (best[0] + best[1]) / 2
    p_value = _p_value(change, spans)
    return EqualFactor(tuple(names), change, p_value) if p_value < MAX_P else None


def _can_move(before: float, after: float) -> bool:
    return before * after > 0 and not before == after in FULL


def _changes(before: Rounded, after: Rounded) -> list[tuple[float, float]]:
    """Return the least and greatest relative change, read as r - 1, 1 - r and 1/r - 1."""
    bounds = [
        abs(after.value + a * after.half_unit)
        / max(abs(before.value + b * before.half_unit), 1e-300)
        for a in (-1, 1)
        for b in (-1, 1)
    ]
    # a factor found in exact numbers still carries the rounding of the floats themselves
    low, high = min(bounds) * (1 - 1e-9), max(bounds) * (1 + 1e-9)
    up, down, inverse = (
        (low - 1, high - 1),
        (1 - high, 1 - low),
        (1 / high - 1, 1 / max(low, 1e-300) - 1),
    )
    return [up] if low > 1 else [down, inverse]


def _overlap(span: tuple[float, float], choices: list[tuple[float, float]]) -> tuple[float, float]:
    shared = [(max(span[0], low), min(span[1], high)) for low, high in choices]
    return max(shared, key=lambda both: both[1] - both[0])


def _p_value(change: float, spans: Mapping[str, list[tuple[float, float]]]) -> float:
    widths = [max(high - low for low, high in choices) for choices in spans.values()]
    chances = sorted(
        min(1.0, len(c) * w / change) for w, c in zip(widths, spans.values(), strict=True)
    )
    return math.prod(chances[:-1])
