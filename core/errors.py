"""The error whose message is written for the person who runs the program."""

from collections.abc import Iterator
from contextlib import contextmanager


class UserError(ValueError):
    """Something the user gave is wrong, and the message says what, where and what to do next.

    The command line prints ``str(error)`` as one line and exits with 2, so the message is one line
    that names the culprit and the remedy. It never quotes a report.
    """


@contextmanager
def about(key: str) -> Iterator[None]:
    """Put a key of the config before whatever is refused inside.

    Raises:
        UserError: One was raised inside; its message now begins with ``key``.
    """
    try:
        yield
    except UserError as problem:
        text = str(problem)
        raise UserError(text if text.startswith(key) else f"{key}: {text}") from problem.__cause__


UNFIT = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What code that is not ours raises where it is given what it was not made for."""


@contextmanager
def refusing(what: str) -> Iterator[None]:
    """Take whatever a library raises inside for a refusal of what the user gave.

    Raises:
        UserError: ``what``, and the first line of what the library says.
    """
    try:
        yield
    except UserError:
        raise
    except UNFIT as problem:
        said = str(problem).strip().partition("\n")[0][:200]
        raise UserError(f"{what} ({type(problem).__name__}{said and ': '}{said})") from problem
