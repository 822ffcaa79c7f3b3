"""Types of arguments and results, which are checked at every call while tests run.

jaxtyping keeps the sizes of named axes apart for each call of each function, which takes half the
time of a short run. What names no axis is checked by its checker alone: the same one, on the same
hints.
"""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, ForwardRef, Literal, get_args, get_origin

import jaxtyping
from jaxtyping import AbstractArray, jaxtyped

Check = Callable[[Any], Any]


def install() -> None:
    """Let the hook that decorates every function choose; before anything of ours is imported."""
    vars(jaxtyping)["jaxtyped"] = checked


def checked(fn: Any = None, *, typechecker: Check) -> Any:
    """Return a function that checks its types, and its axes where it has any."""
    if fn is None:
        return partial(checked, typechecker=typechecker)
    if _at_once(fn) and not names_axes([*fn.__annotations__.values()]):
        return typechecker(fn)
    return jaxtyped(fn, typechecker=typechecker)


def _at_once(fn: Any) -> bool:
    """Return whether this is a function whose result is there when it returns."""
    later = (inspect.isgeneratorfunction, inspect.isasyncgenfunction, inspect.iscoroutinefunction)
    return inspect.isfunction(fn) and not any(kind(fn) for kind in later)


def names_axes(hint: Any) -> bool:
    """Return whether a hint, or one in it, has axes, or is a name that may stand for such a one."""
    if get_origin(hint) is Literal:
        return False
    if isinstance(hint, str | ForwardRef):
        return True
    if inspect.isclass(hint) and issubclass(hint, AbstractArray):
        return True
    return any(map(names_axes, hint if isinstance(hint, list) else get_args(hint)))
