"""Dotted names, as of the keys of a config and of the parameters of a model."""

from collections.abc import Iterable


def covered(name: str, by: Iterable[str]) -> bool:
    """Return whether a dotted name is one of ``by`` or stands below one of them."""
    return any(name == section or name.startswith(f"{section}.") for section in by)
