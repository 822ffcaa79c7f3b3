"""From the ``parameters`` of a W&B sweep file to one distribution a key."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import JsonValue
from scipy import stats

from cinelex.config.nearest import nearest
from cinelex.core.errors import UserError
from cinelex.sweeps.distributions import Distribution

Spec = Mapping[str, Any]

TAIL = 1e-3
"""Probability that is cut off at each end of a distribution without ``min`` and ``max``."""
DEFAULTS: Mapping[str, float] = {"mu": 0.0, "sigma": 1.0, "q": 1}
POSITIVE = ("sigma", "a", "b", "q")


def _choice(values: Sequence[JsonValue], shares: Sequence[float] | None = None) -> Distribution:
    indices = range(len(values))
    law = stats.rv_discrete(values=(indices, shares)) if shares else stats.randint(0, len(values))
    return Distribution(
        law=law, low=0, high=indices[-1], q=1, choices=tuple(values), ordered=shares is not None
    )


def _even(low: float, high: float) -> Distribution:
    return Distribution(law=stats.uniform(low, high - low), low=float(low), high=float(high))


def _whole(low: float, high: float) -> Distribution:
    if not (isinstance(low, int) and isinstance(high, int)):
        raise ValueError(f"int_uniform needs whole numbers, got {low} and {high}")
    return Distribution(law=stats.randint(low, high + 1), low=low, high=high, q=1)


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
    return Distribution(law=law, low=float(low), high=float(high), tail=TAIL)


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
FIELDS = ("distribution", "value", "values", "probabilities", "min", "max", "mu", *POSITIVE)
"""What may stand under a parameter."""


def read_parameters(specs: Mapping[str, Any], *, source: str) -> dict[str, Distribution]:
    """Return the distribution of every dotted key; nested ``parameters`` become dots.

    Raises:
        UserError: A parameter is not in W&B's format; the message names it.
    """
    found: dict[str, Distribution] = {}
    for key, spec in _flat(specs):
        try:
            if key in found:
                raise ValueError("stands twice")
            found[key] = _distribution(spec)
        except (ValueError, OverflowError) as error:
            raise UserError(f"{source}: parameters.{key}: {error}") from None
    return found


def _flat(specs: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, spec in specs.items():
        if isinstance(spec, dict) and isinstance(spec.get("parameters"), dict):
            yield from _flat(spec["parameters"], f"{above}{key}.")
        else:
            yield f"{above}{key}", spec


def _distribution(spec: Any) -> Distribution:
    if not isinstance(spec, dict):
        raise ValueError(f"expected value:, values: or min: and max:, got {spec!r}")
    _refuse_unknown("field", spec, FIELDS)
    name = str(spec.get("distribution") or _implied(spec))
    _refuse_unknown("distribution", [name], DISTRIBUTIONS)
    if name == "constant" and "value" not in spec:
        raise ValueError("the distribution constant needs value:")
    if name == "constant":
        return _choice([spec["value"]])
    return _categorical(spec) if name == "categorical" else _numbers(name, spec)


def _refuse_unknown(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    for name in names:
        if name not in known:
            near = nearest(name, known)
            hint = f"did you mean {near}?" if near else f"there are {', '.join(sorted(known))}"
            raise ValueError(f"unknown {what} {name!r}; {hint}")


def _implied(spec: Spec) -> str:
    """Return the distribution that W&B takes where none is named."""
    if "value" in spec or "values" in spec:
        return "constant" if "value" in spec else "categorical"
    if not {"min", "max"} <= spec.keys():
        raise ValueError("expected value:, values:, or min: and max:")
    whole = {isinstance(spec[end], int) for end in ("min", "max")}
    if len(whole) == 2:
        raise ValueError(
            f"min {spec['min']} and max {spec['max']} are of two types; write both as whole "
            "numbers, both with a point, or name the distribution"
        )
    return "int_uniform" if whole == {True} else "uniform"


def _categorical(spec: Spec) -> Distribution:
    values, shares = spec.get("values"), spec.get("probabilities")
    if not isinstance(values, list) or not values:
        raise ValueError(f"values: expected a list with at least one value, got {values!r}")
    if shares is None:
        return _choice(values)
    numbers = isinstance(shares, list) and all(isinstance(share, int | float) for share in shares)
    if not numbers or len(shares) != len(values) or abs(sum(shares) - 1) > 1e-6 or min(shares) < 0:
        raise ValueError(
            f"probabilities: expected {len(values)} shares that sum to 1, got {shares}"
        )
    return _choice(values, shares)


def _numbers(name: str, spec: Spec) -> Distribution:
    fields, law = LAWS[name.removeprefix("q_")]
    first, second = (_number(spec, field) for field in fields)
    if fields == ("min", "max") and first >= second:
        raise ValueError(f"min ({first}) must be below max ({second})")
    numbers = law(first, second)
    if not name.startswith("q_"):
        return numbers
    q = _number(spec, "q")
    if len(numbers.steps(q)) < 2:
        raise ValueError(f"q: fewer than two multiples of {q} are in the range")
    return replace(numbers, q=q)


def _number(spec: Spec, field: str) -> float:
    value = spec.get(field, DEFAULTS.get(field))
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{field}: expected a number, got {value!r}")
    if field in POSITIVE and value <= 0:
        raise ValueError(f"{field}: expected more than 0, got {value}")
    return value
