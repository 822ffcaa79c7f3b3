"""What a manifest says of patients, machines and sites; nothing is asked of one that does not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc

from cinelex.config.schema import DataConfig
from cinelex.data.tables.read import read_table
from cinelex.data.tables.usual import usual_columns

KNOWN = ("age", "sex", "site", "manufacturer", "model", "year", "date")
"""What a manifest may say, as ``data.tables.usual`` calls it."""


@dataclass(frozen=True)
class Attributes:
    """What the manifest says of every study, whatever its split."""

    values: Mapping[str, Mapping[str, str]]
    """By attribute and by study; "" where a study has none."""
    order: Mapping[str, int]
    """The place of each study in the manifest."""
    patients: bool
    """Whether the manifest says whose each study is."""

    def of(self, ids: Sequence[str]) -> dict[str, list[str]]:
        """Return the attributes of some studies."""
        return {name: [of[study] for study in ids] for name, of in self.values.items()}

    @property
    def absent(self) -> list[str]:
        """Return the usual attributes that the manifest does not hold."""
        return [name for name in KNOWN if name not in self.values]


def read_attributes(data: DataConfig, path: Path, study: str, *, patients: bool) -> Attributes:
    """Read the columns of a manifest that tell patients, machines and sites apart.

    Args:
        data: How the manifest is read, and what its columns are called.
        path: The manifest.
        study: Its column of study ids.
        patients: Whether it was read with patients.
    """
    table = read_table(path, separator=data.separator, encoding=data.encoding)
    named = {str(name): column for name, column in data.columns.groups.items()}
    found = {name: usual[0] for name in KNOWN if (usual := usual_columns(table.names, name))}
    columns: dict[str, str] = {**{name: name for name in data.columns.subgroups}, **found, **named}
    ids = [text.strip() for text in _texts(table.column(study))]
    order = {name: place for place, name in reversed(list(enumerate(ids)))}
    values = {}
    for name, column in columns.items():
        first: dict[str, str] = {}
        for own, text in zip(ids, _texts(table.column(column)), strict=True):
            first[own] = first.get(own) or text.strip()
        values[name] = first
    return Attributes(values, order, patients)


def _texts(column: object) -> list[str]:
    return [text or "" for text in pc.fill_null(column.combine_chunks(), "").to_pylist()]  # type: ignore[attr-defined]
