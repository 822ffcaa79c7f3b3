"""Results in a form that any project's summary and page can show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Better = Literal["higher", "lower"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One number beside its nulls."""

    label: str
    """What it is, with its unit."""
    value: float | None
    """None where it is undefined."""
    nulls: Mapping[str, float | None]
    """What chance, a constant answer, collapse or a method without training would score."""
    low: float | None = None
    """Lower end of the 95 % interval."""
    high: float | None = None
    """Upper end of it."""
    better: Better | None = None
    """Which way is better; None where neither is."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows under a heading."""

    title: str
    note: str
    """On what it was measured, and what the nulls are."""
    rows: Sequence[Row]

    def as_json(self) -> dict[str, Any]:
        """Return the table as ``results.json`` holds it."""
        return {"title": self.title, "note": self.note, "rows": [vars(row) for row in self.rows]}


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A PNG below the run's folder."""

    title: str
    note: str
    """What is to be seen in it."""
    path: Path
    """Relative to the run's folder."""

    def as_json(self) -> dict[str, str]:
        """Return the picture as ``results.json`` holds it."""
        return {"title": self.title, "note": self.note, "path": self.path.as_posix()}
