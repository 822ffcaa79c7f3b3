"""A config as one table."""

from collections.abc import Iterator, Mapping
from typing import Any

from cinelex.config.schema import RunConfig


def flat(config: RunConfig) -> dict[str, Any]:
    """Return every value by its dotted key; lists are values, and so are empty sections."""
    return dict(leaves(config.model_dump(mode="json")))


def leaves(section: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of nested sections by their dotted keys."""
    for name, value in section.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value
