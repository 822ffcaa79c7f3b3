"""The signature of a part is the schema of its options."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from torch import nn

from cinelex.config.build import build
from cinelex.config.strict import Part
from cinelex.core.errors import UserError


class Encoder:
    """Takes one width from the project and the rest from the config."""

    def __init__(
        self,
        *,
        width: int,
        depth: int,
        tubelet: tuple[int, int, int] = (4, 8, 8),
        rate: float = 0.0,
        stem: Literal["linear", "conv"] = "linear",
        path: str | None = None,
    ) -> None:
        if width % depth:
            raise ValueError(f"width ({width}) must be a multiple of depth ({depth})")
        self.made = (width, depth, tubelet, rate, stem, path)


@dataclass(frozen=True, kw_only=True)
class Loss:
    """An entry that is a dataclass."""

    smoothing: float = 0.0


def count(*, limit: int = 3) -> list[int]:
    """An entry that is a function."""
    return list(range(limit))


TABLE: Mapping[str, Callable[..., Any]] = {"encoder": Encoder, "loss": Loss, "count": count}


def refusal(options: dict[str, Any], name: str = "encoder", **context: Any) -> str:
    with pytest.raises(UserError) as caught:
        build(TABLE, Part(name=name, options=options), **context)
    return str(caught.value)


def test_options_arrive_in_the_types_of_the_signature() -> None:
    part = Part(
        name="encoder", options={"depth": 2, "tubelet": [2, 4, 4], "rate": 1, "stem": "conv"}
    )
    built = build(TABLE, part, width=8)
    assert built.made == (8, 2, (2, 4, 4), 1.0, "conv", None)
    assert isinstance(built.made[3], float)


def test_an_entry_gets_the_context_that_it_has_a_name_for() -> None:
    assert build(TABLE, Part(name="count", options={"limit": 2}), width=8, vocab=9) == [0, 1]


def test_a_dataclass_is_an_entry_like_any_other() -> None:
    assert build(TABLE, Part(name="loss", options={"smoothing": 0.1})) == Loss(smoothing=0.1)
    assert "'smooting'; did you mean smoothing?" in refusal({"smooting": 0.1}, "loss")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"depht": 2}, "encoder: unknown option 'depht'; did you mean depth?"),
        ({"depth": 2, "zzz": 2}, "there are depth, path, rate, stem, tubelet"),
        ({"depth": "2"}, "encoder: option 'depth': expected a valid integer, got \"2\""),
        ({"depth": 2.0}, "option 'depth': expected a valid integer, got 2.0"),
        ({"depth": True}, "option 'depth': expected a valid integer, got true"),
        ({"depth": 2, "tubelet": [2, 4]}, "option 'tubelet.2' is missing"),
        ({"depth": 2, "tubelet": [2, 4, "x"]}, "option 'tubelet.2': expected a valid integer"),
        ({"depth": 2, "stem": "con"}, "option 'stem': expected 'linear' or 'conv', got \"con\""),
        ({"depth": 2, "rate": None}, "option 'rate': expected a valid number, got null"),
        ({}, "encoder: option 'depth' is missing"),
        ({"depth": 2, "width": 9}, "option 'width' follows from the rest of the config"),
        ({"depth": 3}, "encoder: width (8) must be a multiple of depth (3)"),
    ],
)
def test_a_wrong_option_is_refused_by_name(options: dict[str, Any], says: str) -> None:
    assert says in refusal(options, width=8)


def test_an_unknown_part_gets_the_nearest_name_or_all() -> None:
    assert refusal({}, "encodr").startswith(
        "unknown name 'encodr'; did you mean encoder? there are "
    )
    assert "did you mean encoder?" in refusal({}, "enc")
    assert refusal({}, "x") == "unknown name 'x'; there are count, encoder, loss"


def test_a_size_of_0_is_refused() -> None:
    table = {"linear": nn.Linear}
    with pytest.raises(UserError, match=r"linear: cannot be built .*zero-element"):
        build(table, Part(name="linear", options={"out_features": 0}), in_features=3)
