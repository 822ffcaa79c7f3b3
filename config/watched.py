"""A config that notes which of its keys are read."""

from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import BaseModel

from cinelex.config.strict import Strict

Section = TypeVar("Section", bound=Strict)
WHOLE = ("model_dump", "model_dump_json")
"""Reading a section by these reads all of it."""


def watched(section: Section) -> tuple[Section, set[str]]:
    """Return an equal section, and the set to which it adds every dotted key when it is read.

    A key that ends in ``.*`` stands for all that is below it.
    """
    read: set[str] = set()
    return _watch(section, "", read), read


def was_read(key: str, read: Iterable[str]) -> bool:
    """Return whether a dotted key was read: itself, or something above it or within it."""
    parts = key.split(".")
    above = [".".join(parts[:end]) for end in range(1, len(parts))]
    hits = {key, *above, *(f"{one}.*" for one in above)}
    return any(one in hits or one.startswith(f"{key}.") for one in read)


def _watch(section: Section, prefix: str, read: set[str]) -> Section:
    kind = type(section)
    children = {
        name: _watch(value, f"{prefix}{name}.", read)
        for name in kind.model_fields
        if isinstance(value := getattr(section, name), Strict)
    }
    copy = section.model_copy(update=children)

    def note(self: BaseModel, name: str) -> Any:
        if name in kind.model_fields and name not in children:
            read.add(f"{prefix}{name}")
        elif name in WHOLE and prefix:
            read.add(f"{prefix}*")
        return kind.__getattribute__(self, name)

    members = {"__getattribute__": note, "__module__": kind.__module__, "__doc__": kind.__doc__}
    make_class: Any = type(kind)  # pydantic's own, which knows fields
    object.__setattr__(copy, "__class__", make_class(kind.__name__, (kind,), members))
    return copy
