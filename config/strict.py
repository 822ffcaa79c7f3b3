"""What every section of a config is made of: strict fields, named parts, schedules."""

from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    Tag,
    model_validator,
)


class Strict(BaseModel):
    """A section: unknown keys and wrong types are errors, and nothing changes after reading.

    A whole number is a valid ``float``; nothing else is converted.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


Share = Annotated[float, Field(ge=0.0, le=1.0)]
"""A part of a whole, from 0 to 1."""
Frozen = Share | Literal["none", "all"]
"""What of something does not train: nothing, everything, or a share."""
Count = Annotated[int, Field(ge=1, le=2**53)]
"""At least one."""
CountOrZero = Annotated[int, Field(ge=0, le=2**53)]
"""Zero or more; a field says what zero means."""
Positive = Annotated[float, Field(gt=0.0)]
"""More than zero."""
NotNegative = Annotated[float, Field(ge=0.0)]
"""Zero or more."""


class Part(Strict):
    """An entry of a table of parts, by its name, and the options it is built with."""

    name: Annotated[str, Field(min_length=1)]
    """The entry's name in its table."""
    options: dict[str, JsonValue] = {}
    """Keyword arguments of the entry; its signature says which there are."""


class Schedule(Strict):
    """A value that changes over the run, as a function of the optimizer step."""

    start: NotNegative
    """Value at the first step, in the unit of the scheduled field."""
    end: NotNegative
    """Value at the last step, in the unit of the scheduled field."""
    shape: Literal["linear", "cosine", "step"] = "linear"
    """How the value goes from start to end: straight, along half a cosine, or in jumps."""
    begin: Share = 0.0
    """Share of the run's steps after which the change begins."""
    finish: Share = 1.0
    """Share of the run's steps after which the value is ``end``."""
    jumps: Count = 1
    """Number of equal jumps of the shape ``step``; the levels last equally long."""

    @model_validator(mode="after")
    def check_order(self) -> Self:
        """Refuse a change that ends before it begins."""
        if self.begin >= self.finish:
            raise ValueError(f"begin must be below finish, got {self.begin} and {self.finish}")
        return self


def _kind(value: object) -> str:
    """Return which of the two forms of a scheduled value stands in the file."""
    return "schedule" if isinstance(value, dict | Schedule) else "number"


ValueOrSchedule = Annotated[
    Annotated[NotNegative, Tag("number")] | Annotated[Schedule, Tag("schedule")],
    Discriminator(_kind),
]
"""A constant, or a mapping with ``start``, ``end`` and ``shape``."""
