"""Types are checked at every call: axes by jaxtyping, all else by its checker alone."""

import pytest
import torch
from beartype import beartype
from beartype.roar import BeartypeCallHintViolation
from jaxtyping import Float, TypeCheckError
from torch import Tensor

from cinelex.core.names import covered
from cinelex.metrics.representation import rankme
from tests.checked_types import checked, names_axes


def doubled(number: int) -> int:
    return 2 * number if number else "nothing"  # type: ignore[return-value]


def counted(one: Float[Tensor, " row"] | None, other: tuple[Float[Tensor, " row"], ...]) -> int:
    return len(other)


def test_what_names_no_axis_is_checked_by_the_checker_alone() -> None:
    own = checked(doubled, typechecker=beartype)
    assert own(2) == 4
    for wrong in ("2", 0):
        with pytest.raises(BeartypeCallHintViolation):
            own(wrong)


def test_axes_of_one_name_are_held_against_one_another_wherever_they_stand() -> None:
    own = checked(counted, typechecker=beartype)
    assert own(torch.zeros(2), (torch.zeros(2),)) == 1
    with pytest.raises(TypeCheckError):
        own(torch.zeros(2), (torch.zeros(3),))


def test_a_name_may_stand_for_axes() -> None:
    assert names_axes("Rows")
    assert names_axes(list["Rows"])  # type: ignore[name-defined]
    assert not names_axes(dict[str, int] | None)


def test_this_package_is_checked() -> None:
    with pytest.raises(BeartypeCallHintViolation):
        covered(3, [])  # type: ignore[arg-type]
    with pytest.raises(TypeCheckError):
        rankme(torch.ones(3))
