"""What libraries raise becomes one line for the user."""

import pytest

from cinelex.core.errors import UserError, refusing


class PanicException(BaseException):  # noqa: N818  pyo3's name, which no module exports
    """What a library in Rust raises where it panics."""


class OddError(Exception):
    """Of no kind that Python has."""


@pytest.mark.parametrize("problem", [Exception, PanicException, OddError, KeyError])
def test_whatever_a_library_raises_is_refused(problem: type[BaseException]) -> None:
    expected = pytest.raises(UserError, match=rf"^the folder \({problem.__name__}: .?one.?\)$")
    with expected, refusing("the folder"):
        raise problem("one\ntwo" if problem is not KeyError else "one")


def test_where_a_remedy_is_given_nothing_is_quoted() -> None:
    expected = pytest.raises(UserError, match=r"^the vocabulary \(Exception\); copy it again$")
    with expected, refusing("the vocabulary", remedy="copy it again"):
        raise Exception("of a report")  # noqa: TRY002


@pytest.mark.parametrize("problem", [KeyboardInterrupt, ImportError, UserError])
def test_what_is_no_refusal_of_a_library_passes(problem: type[BaseException]) -> None:
    with pytest.raises(problem, match="^as it is$"), refusing("the folder"):
        raise problem("as it is")
