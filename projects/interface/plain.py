"""Plain values of ``results.json``, whatever stands in their place in a damaged file."""

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any


def finite(number: float | None) -> float | None:
    """Return a number, or None for one that is undefined: NaN, or an infinity."""
    return number if number is not None and isfinite(number) else None


def find(content: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """Return the entry at a path of ``results.json``, or None if there is none."""
    entry: Any = content
    for part in name.split("."):
        if not isinstance(entry, Mapping) or part not in entry:
            return None
        entry = entry[part]
    return entry if isinstance(entry, Mapping) else None


def texts(entry: Mapping[str, Any], *keys: str) -> dict[str, str]:
    """Return some entries as text."""
    return {key: str(entry.get(key, "")) for key in keys}


def put(tree: dict[str, Any], name: str, value: Any) -> None:
    """Put a value at a dotted path.

    Raises:
        ValueError: Two numbers have one path.
    """
    *above, last = name.split(".")
    for part in above:
        tree = tree.setdefault(part, {})
    if last in tree:
        raise ValueError(f"two results are called {name}")
    tree[last] = value


def scored(content: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the path and the entry of everything that has a value."""
    for key, entry in content.items():
        if isinstance(entry, Mapping) and "value" in entry:
            yield f"{above}{key}", entry
        elif isinstance(entry, Mapping):
            yield from scored(entry, f"{above}{key}.")


def counts(content: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, int]]:
    """Yield every whole number that is no part of a score."""
    for key, value in content.items():
        if isinstance(value, int) and not isinstance(value, bool):
            yield f"{above}{key}", value
        elif isinstance(value, Mapping) and "value" not in value:
            yield from counts(value, f"{above}{key}.")


def interval(entry: Mapping[str, Any]) -> dict[str, float | None]:
    """Return a value and its interval."""
    return {key: number(entry.get(key)) for key in ("value", "low", "high")}


def number(value: Any) -> float | None:
    """Return a finite number, and None for whatever else stands in its place."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return finite(float(value)) if number else None


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a mapping, and an empty one for whatever else stands in its place."""
    return value if isinstance(value, Mapping) else {}


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """Return the mappings of a list."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
