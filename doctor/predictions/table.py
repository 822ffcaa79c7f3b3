"""A table of predictions beside the manifest of what was to be predicted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int

from cinelex.doctor.predictions.vectors import Vectors

Column = np.ndarray
"""Text, a cell an id."""


@dataclass(frozen=True)
class Scored:
    """A number that was predicted of each id, and the truth; both are known of every row."""

    name: str
    truth_name: str
    predicted: Float[np.ndarray, " item"]
    truth: Float[np.ndarray, " item"]
    asked: Int[np.ndarray, " item"]
    """Which id of the manifest."""
    row: Int[np.ndarray, " item"]
    """Which row of the table."""
    patient: Int[np.ndarray, " item"]
    """Equal for the samples of one person."""

    @cached_property
    def binary(self) -> bool:
        """Whether the truth is yes or no."""
        return set(np.unique(self.truth)) <= {0.0, 1.0}

    @cached_property
    def probability(self) -> bool:
        """Whether the prediction says how likely yes is."""
        return self.binary and bool(((self.predicted >= 0) & (self.predicted <= 1)).all())


@dataclass(frozen=True)
class Told:
    """A text that was written for each id, and the reference."""

    name: str
    texts: Sequence[str]
    references: Sequence[str]
    asked: Int[np.ndarray, " item"]
    row: Int[np.ndarray, " item"]


@dataclass(frozen=True)
class Again:
    """Rows that were encoded anew, each under its id."""

    what: str
    """Which matrix they are compared with."""
    rows: Int[np.ndarray, " chosen"]
    """Of the table."""
    vectors: Mapping[str, Float[np.ndarray, "chosen dim"]]
    """By how the pixels were treated; "" as the encoder wants them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """What the rules read of a table; one equals itself alone, so that what is costly is kept."""

    path: Path
    key: str
    """The column of the ids, in table and manifest."""
    ids: Sequence[str]
    """Under which each row lies."""
    asked: Sequence[str]
    """Every id of the manifest once, in its order."""
    place: Int[np.ndarray, " row"]
    """The place among ``asked`` of each row's id; -1 for ids that nobody asked for."""
    manifest: Mapping[str, Column]
    """Columns of the manifest, a cell for each id of ``asked``."""
    vectors: Sequence[Vectors] = ()
    scores: Sequence[Scored] = ()
    texts: Sequence[Told] = ()
    unusable: Mapping[str, Int[np.ndarray, " row"]] = field(default_factory=dict)
    """Rows without a number or text, by column."""
    patient: str | None = None
    """Columns by what they are; None where there is none."""
    same: Sequence[str] = ()
    """Columns whose equal cells mean one person, one study or one recording."""
    subgroups: Sequence[str] = ()
    metadata: Sequence[str] = ()
    report: str | None = None
    reference: "Predictions | None" = None
    """Another table, with which this one is compared."""
    again: Again | None = None

    @cached_property
    def known(self) -> Bool[np.ndarray, " row"]:
        """Return which rows are of ids that were asked for."""
        return np.asarray(self.place >= 0)

    def of_rows(self, column: str) -> Column:
        """Return a column of the manifest for each row; blank where the id is unknown."""
        cells = self.manifest[column]
        return np.where(self.known, cells[np.maximum(self.place, 0)], "")

    def people(self, asked: Int[np.ndarray, " item"]) -> Int[np.ndarray, " item"]:
        """Return equal numbers for the samples of one person; each its own where none is named."""
        if self.patient is None:
            return asked
        cells = self.manifest[self.patient]
        own = np.where(cells == "", np.array([f"\0{i}" for i in range(len(cells))]), cells)
        return np.unique(own, return_inverse=True)[1][asked]
