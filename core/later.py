"""Names of functions whose modules are imported when they are called, not when they are listed."""

from collections.abc import Callable
from pkgutil import resolve_name
from typing import Any


def later(target: str) -> Callable[..., Any]:
    """Return a function that imports ``package.module:name`` at its first call and calls it.

    A table of everything that can be run then costs the import of none of it.
    """

    def call(*arguments: Any, **named: Any) -> Any:
        return resolve_name(target)(*arguments, **named)

    call.__qualname__ = target
    return call
