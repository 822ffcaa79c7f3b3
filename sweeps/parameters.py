"""What stands under ``parameters`` in a W&B sweep file, and the distribution that it means."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Self

from pydantic import Field, JsonValue, model_validator
from scipy import stats

from cinelex.config.nearest import hint
from cinelex.config.strict import Positive, Share, Strict
from cinelex.sweeps.distributions import Distribution

TAIL = 1e-3
"""Probability that is cut off at each end of a distribution without ``min`` and ``max``."""


def _choice(values: Sequence[JsonValue], shares: Sequence[float] = ()) -> Distribution:
    last = len(values) - 1
    edges = [index - 0.5 for index in range(len(values) + 1)]
    law = stats.rv_histogram((shares or [1.0] * len(values), edges), density=False)
    return Distribution(law=law, low=0, high=last, q=1, choices=tuple(values), ordered=bool(shares))


def _even(low: float, high: float) -> Distribution:
    return Distribution(law=stats.uniform(low, high - low), low=float(low), high=float(high))


def _whole(low: float, high: float) -> Distribution:
    if not (isinstance(low, int) and isinstance(high, int)):
        raise ValueError(f"int_uniform needs whole numbers, got {low} and {high}")
    return Distribution(law=stats.uniform(low - 0.5, high - low + 1), low=low, high=high, q=1)


def _log_even(low: float, high: float) -> Distribution:
    if low <= 0:
        raise ValueError("a logarithmic range begins above 0")
    return Distribution(law=stats.loguniform(low, high), low=float(low), high=float(high))


def _exponents(low: float, high: float) -> Distribution:
    if max(abs(low), abs(high)) > 700:
        raise ValueError("e to that power is no number; see the distribution with _values")
    return _log_even(math.exp(low), math.exp(high))


def _without_ends(law: Any) -> Distribution:
    low, high = law.ppf([TAIL, 1 - TAIL])
    return Distribution(law=law, low=float(low), high=float(high))


LAWS: Mapping[str, tuple[tuple[str, str], Callable[[float, float], Distribution]]] = {
    "int_uniform": (("min", "max"), _whole),
    "uniform": (("min", "max"), _even),
    "log_uniform": (("min", "max"), _exponents),
    "log_uniform_values": (("min", "max"), _log_even),
    "inv_log_uniform": (("min", "max"), lambda low, high: _exponents(-high, -low)),
    "inv_log_uniform_values": (("min", "max"), _log_even),
    "normal": (("mu", "sigma"), lambda mu, sigma: _without_ends(stats.norm(mu, sigma))),
    "log_normal": (
        ("mu", "sigma"),
        lambda mu, sigma: _without_ends(stats.lognorm(sigma, scale=math.exp(mu))),
    ),
    "beta": (("a", "b"), lambda a, b: _without_ends(stats.beta(a, b))),
}
"""W&B's names of distributions of numbers, their two fields, and scipy's that have that law."""
QUANTIZED = ("uniform", "log_uniform", "log_uniform_values", "normal", "log_normal", "beta")
"""Those of which there is one more with ``q_`` before its name, rounded to multiples of ``q``."""
DISTRIBUTIONS = ("constant", "categorical", *LAWS, *(f"q_{name}" for name in QUANTIZED))
"""Every name that may stand after ``distribution:``."""


class Parameter(Strict):
    """What one key may become; the fields are W&B's, and so is what they mean."""

    distribution: str = ""
    value: JsonValue = None
    values: list[JsonValue] = []
    probabilities: list[Share] = []
    min: float | int | None = None
    max: float | int | None = None
    mu: float = 0.0
    sigma: Positive = 1.0
    q: Annotated[float | int, Field(gt=0)] = 1
    a: Positive | None = None
    b: Positive | None = None

    @model_validator(mode="before")
    @classmethod
    def check_fields(cls, spec: Any) -> Any:
        """Refuse what is no mapping of these fields."""
        if not isinstance(spec, dict):
            raise ValueError(f"expected value:, values: or min: and max:, got {spec!r}")
        for name in spec.keys() - cls.model_fields.keys():
            raise ValueError(f"unknown field {name!r}; {hint(name, cls.model_fields)}")
        return spec

    @model_validator(mode="after")
    def check_law(self) -> Self:
        """Refuse what is no distribution."""
        self.law()
        return self

    def law(self) -> Distribution:
        """Return the distribution of the key.

        Raises:
            ValueError: There is none of that name, or not with these numbers.
        """
        name = self.distribution or self._implied()
        if name not in DISTRIBUTIONS:
            raise ValueError(f"unknown distribution {name!r}; {hint(name, DISTRIBUTIONS)}")
        if name == "constant":
            if "value" not in self.model_fields_set:
                raise ValueError("the distribution constant needs value:")
            return _choice([self.value])
        return self._categorical() if name == "categorical" else self._numbers(name)

    def _implied(self) -> str:
        """Return the distribution that W&B takes where none is named."""
        if {"value", "values"} & self.model_fields_set:
            return "constant" if "value" in self.model_fields_set else "categorical"
        if self.min is None or self.max is None:
            raise ValueError("expected value:, values:, or min: and max:")
        if isinstance(self.min, int) != isinstance(self.max, int):
            raise ValueError(
                f"min {self.min} and max {self.max} are of two types; write both as whole "
                "numbers, both with a point, or name the distribution"
            )
        return "int_uniform" if isinstance(self.min, int) else "uniform"

    def _categorical(self) -> Distribution:
        count, shares = len(self.values), self.probabilities
        if not count:
            raise ValueError("values: expected a list with at least one value")
        if shares and (len(shares) != count or abs(sum(shares) - 1) > 1e-6):
            raise ValueError(f"probabilities: expected {count} shares that sum to 1, got {shares}")
        return _choice(self.values, shares)

    def _numbers(self, name: str) -> Distribution:
        fields, law = LAWS[name.removeprefix("q_")]
        first, second = (getattr(self, field) for field in fields)
        if first is None or second is None:
            raise ValueError(f"the distribution {name} needs {fields[0]}: and {fields[1]}:")
        if fields == ("min", "max") and first >= second:
            raise ValueError(f"min ({first}) must be below max ({second})")
        numbers = law(first, second)
        if not name.startswith("q_"):
            return numbers
        if len(numbers.steps(self.q)) < 2:
            raise ValueError(f"q: fewer than two multiples of {self.q} are in the range")
        return replace(numbers, q=self.q)


def flat(entries: Any, above: str = "") -> Any:
    """Return every parameter by its dotted key; what is no mapping is left as it is."""
    found: dict[str, Any] = {}
    for key, entry in entries.items() if isinstance(entries, dict) else ():
        nested = isinstance(entry, dict) and isinstance(entry.get("parameters"), dict)
        below = flat(entry["parameters"], f"{above}{key}.") if nested else {f"{above}{key}": entry}
        for twice in found.keys() & below.keys():
            raise ValueError(f"{twice} stands twice")
        found |= below
    return found if isinstance(entries, dict) else entries
