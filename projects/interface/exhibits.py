"""What an evaluation shows that is no score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of anything that is no score."""

    name: str
    title: str
    note: str
    rows: Sequence[Mapping[str, Any]]
    """Each with the same keys, which are the columns."""

    def as_json(self) -> dict[str, Any]:
        """Return it as ``results.json`` holds it."""
        return {**vars(self), "rows": [dict(row) for row in self.rows]}


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A PNG below the run's folder."""

    title: str
    note: str
    """What is to be seen in it."""
    path: Path
    """Relative to the run's folder."""

    def as_json(self) -> dict[str, str]:
        """Return it as ``results.json`` holds it."""
        return {"title": self.title, "note": self.note, "path": self.path.as_posix()}
