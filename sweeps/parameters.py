"""From the ``parameters`` of a W&B sweep file to one distribution a key."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import JsonValue

from cinelex.config.nearest import nearest
from cinelex.core.errors import UserError
from cinelex.sweeps.distributions import Choice, Distribution, Normal, Range

Spec = Mapping[str, Any]

FIELDS = {
    "distribution",
    "value",
    "values",
    "probabilities",
    "min",
    "max",
    "mu",
    "sigma",
    "q",
}
"""What may stand under a parameter."""


def read_parameters(specs: Mapping[str, Any], *, source: str) -> dict[str, Distribution]:
    """Return the distribution of every dotted key; nested ``parameters`` become dots.

    Raises:
        UserError: A parameter is not in W&B's format; the message names it.
    """
    found: dict[str, Distribution] = {}
    for key, spec in specs.items():
        place = f"{source}: parameters.{key}"
        if not isinstance(spec, dict):
            raise UserError(f"{place}: expected value:, values: or min: and max:, got {spec!r}")
        if "parameters" in spec:
            inner = read_parameters(_mapping(spec["parameters"], place), source=source)
            new = {f"{key}.{name}": distribution for name, distribution in inner.items()}
        else:
            new = {key: _distribution(spec, place)}
        twice = sorted(found.keys() & new.keys())
        if twice:
            raise UserError(f"{source}: parameters.{twice[0]} stands twice")
        found |= new
    return found


def _mapping(value: object, place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise UserError(f"{place}: parameters must be a mapping")
    return value


def _distribution(spec: Spec, place: str) -> Distribution:
    unknown = sorted(spec.keys() - FIELDS)
    if unknown:
        near = nearest(unknown[0], FIELDS)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(sorted(FIELDS))}"
        raise UserError(f"{place}: unknown field {unknown[0]!r}; {hint}")
    name = spec.get("distribution") or _implied(spec, place)
    if name not in DISTRIBUTIONS:
        near = nearest(str(name), DISTRIBUTIONS)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(DISTRIBUTIONS)}"
        raise UserError(f"{place}: unknown distribution {name!r}; {hint}")
    return DISTRIBUTIONS[name](spec, place)


def _implied(spec: Spec, place: str) -> str:
    """Return the distribution that W&B takes where none is named."""
    if "value" in spec:
        return "constant"
    if "values" in spec:
        return "categorical"
    if "min" in spec and "max" in spec:
        whole = [isinstance(spec[end], int) for end in ("min", "max")]
        if all(whole):
            return "int_uniform"
        if not any(whole):
            return "uniform"
        raise UserError(
            f"{place}: min {spec['min']} and max {spec['max']} are of two types; write both as "
            "whole numbers, both with a point, or name the distribution"
        )
    raise UserError(f"{place}: expected value:, values:, or min: and max:")


def _number(spec: Spec, field: str, place: str, default: float | None = None) -> float:
    value = spec.get(field, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UserError(f"{place}.{field}: expected a number, got {value!r}")
    return value


def _ends(spec: Spec, place: str) -> tuple[float, float]:
    low, high = _number(spec, "min", place), _number(spec, "max", place)
    if low >= high:
        raise UserError(f"{place}: min ({low}) must be below max ({high})")
    return low, high


def _step(spec: Spec, place: str) -> float:
    step = _number(spec, "q", place, default=1)
    if step <= 0:
        raise UserError(f"{place}.q: expected more than 0, got {step}")
    return step


def _constant(spec: Spec, place: str) -> Distribution:
    if "value" not in spec:
        raise UserError(f"{place}: the distribution constant needs value:")
    return Choice((spec["value"],))


def _categorical(spec: Spec, place: str) -> Distribution:
    values: JsonValue = spec.get("values")
    if not isinstance(values, list) or not values:
        raise UserError(f"{place}.values: expected a list with at least one value, got {values!r}")
    shares = spec.get("probabilities")
    if shares is None:
        return Choice(tuple(values))
    numbers = isinstance(shares, list) and all(isinstance(share, int | float) for share in shares)
    if not numbers or len(shares) != len(values) or abs(sum(shares) - 1) > 1e-6 or min(shares) < 0:
        raise UserError(
            f"{place}.probabilities: expected {len(values)} shares that sum to 1, got {shares}"
        )
    return Choice(tuple(values), tuple(float(share) for share in shares))


def _int_uniform(spec: Spec, place: str) -> Distribution:
    low, high = _ends(spec, place)
    for end in (low, high):
        if not isinstance(end, int):
            raise UserError(f"{place}: int_uniform needs whole numbers, got {end}")
    return Range(low=low, high=high, step=1)


def _range(*, log: bool, quantized: bool, exponents: bool = False) -> Callable[[Spec, str], Range]:
    """Return a reader of a range; ``exponents`` says that its ends are natural logarithms."""

    def read(spec: Spec, place: str) -> Range:
        low, high = _ends(spec, place)
        if exponents:
            low, high = _exponential(low, place), _exponential(high, place)
        if log and low <= 0:
            raise UserError(f"{place}.min: a logarithmic range begins above 0, got {low}")
        made = Range(low=low, high=high, log=log, step=_step(spec, place) if quantized else None)
        first, last = (float(str(end)) for end in made.ends())
        if first > last or (quantized and first == last):
            raise UserError(f"{place}.q: fewer than two multiples of {made.step} are in the range")
        return made

    return read


def _inverse_log(spec: Spec, place: str) -> Range:
    """Read the range of X with ln(1/X) even between min and max."""
    low, high = _ends(spec, place)
    return Range(low=_exponential(-high, place), high=_exponential(-low, place), log=True)


def _normal(*, log: bool, quantized: bool) -> Callable[[Spec, str], Normal]:
    def read(spec: Spec, place: str) -> Normal:
        sigma = _number(spec, "sigma", place, default=1.0)
        if sigma <= 0:
            raise UserError(f"{place}.sigma: expected more than 0, got {sigma}")
        mu = _number(spec, "mu", place, default=0.0)
        step = _step(spec, place) if quantized else None
        return Normal(mu=float(mu), sigma=float(sigma), log=log, step=step)

    return read


def _exponential(exponent: float, place: str) -> float:
    if abs(exponent) > 700:
        raise UserError(f"{place}: e to the power of {exponent} is no number; see log_*_values")
    return math.exp(exponent)


DISTRIBUTIONS: dict[str, Callable[[Spec, str], Distribution]] = {
    "constant": _constant,
    "categorical": _categorical,
    "int_uniform": _int_uniform,
    "uniform": _range(log=False, quantized=False),
    "q_uniform": _range(log=False, quantized=True),
    "log_uniform": _range(log=True, quantized=False, exponents=True),
    "log_uniform_values": _range(log=True, quantized=False),
    "q_log_uniform": _range(log=True, quantized=True, exponents=True),
    "q_log_uniform_values": _range(log=True, quantized=True),
    "inv_log_uniform": _inverse_log,
    "inv_log_uniform_values": _range(log=True, quantized=False),
    "normal": _normal(log=False, quantized=False),
    "q_normal": _normal(log=False, quantized=True),
    "log_normal": _normal(log=True, quantized=False),
    "q_log_normal": _normal(log=True, quantized=True),
}
"""W&B's names, and what reads the fields of each."""
