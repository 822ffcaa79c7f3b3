"""The error whose message is written for the person who runs the program."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType


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


class refusing:  # noqa: N801  it is used as a function
    """Take whatever a library raises inside for a refusal of what the user gave.

    Any exception is taken, for libraries in Rust raise ``Exception`` itself, or a panic that is
    none; a missing package is not, for it is of another cause.

    Raises:
        UserError: ``what``, then the kind of the error, and the first line of what the library
            says, or instead of that line the remedy.
    """

    def __init__(self, what: str, *, remedy: str = "") -> None:
        """Take the words.

        Args:
            what: What cannot be done.
            remedy: What to do; where it is given nothing is quoted, for a file that is read may
                hold words of reports.
        """
        self.what, self.remedy = what, remedy

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, kind: object, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Refuse what comes out, if anything."""
        if problem is None or isinstance(problem, UserError | ImportError):
            return
        name = type(problem).__name__
        if isinstance(problem, Exception) or name == PANIC:
            said = str(problem).strip().partition("\n")[0][:200]
            told = "" if self.remedy or not said else f": {said}"
            remedy = self.remedy and f"; {self.remedy}"
            raise UserError(f"{self.what} ({name}{told}){remedy}") from problem


PANIC = "PanicException"
"""What pyo3 makes of a panic: a ``BaseException`` of this name, which no module exports."""
