"""The section of a config that only probing reads: whose features, and what is asked of them."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cinelex.config.strict import Count, CountOrZero, Frozen, Strict


class TargetConfig(Strict):
    """A column of the manifest that a head is trained to tell; empty cells are masked."""

    kind: Literal["binary", "ordinal", "multiclass", "regression"]
    """What its cells are: two classes, grades in an order, classes in none, or numbers."""
    column: str | None = None
    """Name of the column; null takes the target's own name."""
    classes: list[str] = []
    """The cells that are classes, in order; of a binary target the second is the positive one.
    Empty takes those of the training studies, sorted. Other cells are masked."""
    above: float | None = None
    """Makes a binary target of a column of numbers: positive where it is above this."""

    @model_validator(mode="after")
    def check_kind(self) -> Self:
        """Refuse options that the kind does not have."""
        if self.above is not None and (self.kind != "binary" or self.classes):
            raise ValueError("above belongs to a binary target without classes")
        if self.kind == "regression" and self.classes:
            raise ValueError("a regression target has no classes")
        if self.kind == "binary" and self.classes and len(self.classes) != 2:
            raise ValueError("a binary target has two classes, the positive one second")
        return self


class ProbingConfig(Strict):
    """Heads on the features of a video encoder: what these tell of columns and of reports."""

    run: Path | None = None
    """Folder of a trained run whose video encoder is probed; null takes ``model.video_encoder``
    with the weights that it comes with."""
    frozen: Frozen = "all"
    """What of the encoder does not train; anything but ``all`` adapts it, and keeps no features.
    ``model.video_lora`` adds adapters to a frozen one."""
    targets: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,60}$")], TargetConfig] = {}
    """By the name of a head, a column of the manifest."""
    facts: Literal["coronary", "echo", "none"] = "coronary"
    """Vocabulary whose facts, parsed from the reports, are targets too; where a report is silent,
    ``facts.silence`` decides."""
    min_studies: Count = 20
    """Training studies that must state a target, and of each of two classes a quarter as many;
    targets with fewer are left out, and named."""
    ridge_components: Annotated[int, Field(ge=2, le=2000)] = 128
    """Principal components of pixels, and of mean features, that the ridge floors are solved on."""
    second_view: bool = True
    """Also measure what a study's second video adds to its first."""
    compare_with: tuple[Path, ...] = ()
    """Folders of finished probing runs of other encoders on the same studies: their order under
    each probe is compared with this one's."""
    standardised_on: CountOrZero = 256
    """Training studies whose mean and deviation standardise the features; 0 leaves them as they
    are."""
