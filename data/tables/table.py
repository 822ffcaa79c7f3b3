"""A table's cells as text, with the file line of every row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool

from cinelex.core.errors import UserError
from cinelex.data.tables.names import MAX_SHOWN, nearest_name, shown

COMMAND_LINE: Final = "the command line"
"""Stands for the section of the config where none names a file, but an option."""
TEXT_CONTROLS = r"[\x00-\x08\x0e-\x1f\x7f-\x{9f}]"
"""Control characters that are neither blanks nor line breaks."""
DAMAGED = "holds a control character; was it saved in another encoding? set {section}.encoding"


@dataclass(frozen=True)
class Table:
    """All cells as text, row by row.

    No error that it makes holds anything of a cell, nor of a first line that may be no header.
    """

    path: Path
    names: tuple[str, ...]
    cells: tuple[Any, ...]
    """A ``pyarrow.ChunkedArray`` for each column: of large strings, or of dictionaries of them
    where cells repeat."""
    unit: str
    """What rows are counted in for a person: "line" or "row"."""
    first: int
    """The number of the first row in that unit, line breaks in the header counted."""
    how: str
    """How the file was read, in a few words."""
    section: str = "data"
    """Section of the config whose keys ``columns``, ``separator`` and ``encoding`` read it."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Columns of what is no text, and what each holds."""

    @property
    def rows(self) -> int:
        """How many rows there are, blank ones too."""
        return len(self.cells[0]) if self.cells else 0

    def column(self, name: str) -> Any:
        """Return the cells of a column.

        Raises:
            UserError: None has that name, and the message has the nearest ones; or two have it.
        """
        self.refuse_missing([name])
        return self.cells[self.names.index(name)]

    @property
    def _where(self) -> str:
        """Return where columns are named."""
        return (
            f"on {self.section}"
            if self.section == COMMAND_LINE
            else f"under {self.section}.columns"
        )

    def refuse_missing(
        self, wanted: Sequence[str], *, advice: Mapping[str | None, str] | None = None
    ) -> None:
        """Refuse a table that lacks some of the wanted columns, or has one of them twice.

        Args:
            wanted: Their names.
            advice: What else to do where one is missing, by its name.

        Raises:
            UserError: It does; the message has all of them, and the nearest names there are. A
                first line without any column's name is taken for content, and not repeated.
        """
        for name in wanted:
            places = [place for place, other in enumerate(self.names, 1) if other == name]
            if len(places) > 1:
                raise UserError(
                    f"{self.path}: column {name!r} is there twice (columns {places[0]} and "
                    f"{places[1]}); rename or remove one"
                )
        missing = [name for name in wanted if name not in self.names]
        if not missing:
            return
        nested = next((name for name in missing if name in self.left_out), None)
        if nested is not None:
            raise UserError(
                f"{self.path}: column {nested!r} holds {self.left_out[nested]}, not text; write a "
                "row for each value, or a column for each field"
            )
        if not any(shown(name, wanted=wanted) for name in self.names):
            raise UserError(
                f"{self.path}: has no header: its first line names none of the columns "
                f"{', '.join(map(repr, wanted))}; write a first line with the columns' names, or "
                f"name them {self._where}"
            )
        raise UserError(
            f"{self.path}: no column {', '.join(map(repr, missing))}; "
            f"{self._what_there_is(missing)}"
            + "".join(f"; or {(advice or {})[name]}" for name in missing if name in (advice or {}))
        )

    def refuse_control_characters(self, name: str) -> None:
        """Refuse a column with a character that no text has.

        Raises:
            UserError: It does; the message has the first such row.
        """
        found = pc.match_substring_regex(self.column(name).cast(pa.large_string()), TEXT_CONTROLS)
        self.refuse_first(found.to_numpy(), name, DAMAGED.format(section=self.section))

    def where(self, row: int) -> str:
        """Return how a person finds a row, counted here from 0: "line 7" or "row 6"."""
        above = breaks(self.cells, row) if self.unit == "line" else 0
        return f"{self.unit} {self.first + row + above}"

    def whereabouts(self) -> list[str]:
        """Return of every row how a person finds it; see ``where``."""
        above = np.zeros(self.rows + 1, np.int64)
        for cells in self.cells if self.unit == "line" else ():
            above[1:] += np.cumsum(pc.count_substring(cells, "\n").to_numpy())
        return [f"{self.unit} {self.first + row + above[row]}" for row in range(self.rows)]

    def refusal(self, row: int, column: str | None, problem: str) -> UserError:
        """Return the error for a cell; it holds nothing of the cell."""
        return UserError(f"{self.path}: {self.where(row)}, column {column!r}: {problem}")

    def refuse_first(
        self, wrong: Bool[np.ndarray, " row"], column: str | None, problem: str
    ) -> None:
        """Refuse the first row that is wrong, if there is one."""
        if wrong.any():
            raise self.refusal(int(wrong.argmax()), column, problem)

    def _what_there_is(self, missing: Sequence[str]) -> str:
        near = [f"{name!r} is like {other!r}" for other, name in self._nearest(missing)]
        safe = [name for name in self.names if shown(name, wanted=missing)][:MAX_SHOWN]
        others = len(self.names) - len(safe)
        have = ", ".join(map(repr, safe)) or "none of a usual name"
        return "; ".join(
            [
                f"the file has {have}" + (f" and {others} others" if others else ""),
                *near,
                f"name the columns {self._where}"
                + ("" if self.section == COMMAND_LINE else f", or set {self.section}.separator"),
            ]
        )

    def _nearest(self, missing: Sequence[str]) -> list[tuple[str, str]]:
        """Return each missing name that one of the file's is like, and that one."""
        found = ((name, nearest_name(name, self.names)) for name in missing)
        return [(name, near) for name, near in found if near is not None]


def breaks(cells: Sequence[Any], rows: int) -> int:
    """Return the line breaks inside the cells of the first rows."""
    counts = (pc.sum(pc.count_substring(column.slice(0, rows), "\n")).as_py() for column in cells)
    return sum(count or 0 for count in counts)


def as_text(path: Path, cells: Sequence[Any]) -> tuple[Any, ...]:
    """Return columns of Python text as Arrow holds it here.

    Raises:
        UserError: A cell holds half of a character, as JSON and Excel can write it.
    """
    try:
        return tuple(pa.chunked_array([pa.array(column, pa.large_string())]) for column in cells)
    except UnicodeEncodeError:
        raise UserError(
            f"{path}: a cell holds half of a character (one of two surrogates); "
            "write the file again as UTF-8"
        ) from None
