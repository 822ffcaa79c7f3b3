"""From the files that somebody names to a table of predictions beside its manifest."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
from jaxtyping import Float, Int

from cinelex.core.errors import UserError
from cinelex.data.studies.splits import split_names_text
from cinelex.data.studies.study import split_name
from cinelex.data.tables.read import read_table
from cinelex.data.tables.table import COMMAND_LINE, Table
from cinelex.data.tables.usual import usual_columns
from cinelex.doctor.predictions.columns import (
    IDS,
    MACHINE,
    REPORTS,
    STUDIES,
    Wanted,
    guessed,
    pair_of,
)
from cinelex.doctor.predictions.table import Column, Predictions, Scored, Told
from cinelex.doctor.predictions.vectors import Vectors
from cinelex.doctor.predictions.vectors_in import vectors_in


@dataclass(frozen=True)
class _Side:
    """Text columns of a file."""

    path: Path
    columns: Mapping[str, Column]

    def column(self, name: str, option: str) -> Column:
        """Return a column that somebody named.

        Raises:
            UserError: There is none.
        """
        if name not in self.columns:
            raise UserError(f"{self.path}: no column {name!r} ({option})")
        return self.columns[name]


def read_predictions(path: Path, wanted: Wanted) -> Predictions:
    """Read a table and its manifest.

    Raises:
        UserError: A file is missing or damaged, a column that was named is in neither, no column
            holds ids, or a matrix has not a row for each id.
    """
    manifest = _Side(wanted.manifest, _text(wanted.manifest))
    ids_from = wanted.ids or path
    known = (wanted.key,) if wanted.key else usual_columns(manifest.columns, *IDS)
    own = _ids_of_array(ids_from, known)
    table = _Side(ids_from, _text(ids_from) if own is None else own)
    key = wanted.key or guessed(table.columns, manifest.columns)
    kept = _where(table, wanted.where)
    ids = table.column(key, "--key")[kept]
    asked, columns = _asked(manifest, key, wanted)
    order = {name: index for index, name in enumerate(asked)}
    place = np.array([order.get(name, -1) for name in ids], np.int64)
    if not (place >= 0).any():
        raise UserError(
            f"{ids_from}: no id of column {key!r} is in {wanted.manifest}; name the column that "
            "both share with --key, or the rows that are meant with --where"
        )
    matrices = _matrices(path, wanted, kept, rows=len(next(iter(table.columns.values()))))
    found = Predictions(
        path=path,
        key=key,
        ids=ids.tolist(),
        asked=asked,
        place=place,
        manifest=columns,
        vectors=matrices,
        **_roles(columns, key, wanted),
    )
    return _with_values(found, table, kept, wanted)


def _roles(columns: Mapping[str, Column], key: str, wanted: Wanted) -> dict[str, Any]:
    """Return which columns of the manifest say what."""
    for name in (*wanted.subgroups, *wanted.metadata, *wanted.same):
        if name not in columns:
            raise UserError(f"{wanted.manifest}: no column {name!r}")
    free = [name for name in columns if name != key]
    patient = wanted.patient or next(iter(usual_columns(free, "patient")), None)
    same = wanted.same or usual_columns(free, "patient", *STUDIES)
    metadata = wanted.metadata or usual_columns(free, *MACHINE)
    report = next(iter(usual_columns(free, *REPORTS)), None)
    return {
        "patient": patient if patient in columns else None,
        "same": tuple(same),
        "subgroups": tuple(wanted.subgroups),
        "metadata": tuple(metadata),
        "report": report,
    }


def _text(path: Path) -> dict[str, Column]:
    """Return the columns of a file that are no lists, as text.

    Raises:
        UserError: The file is missing or damaged.
    """
    table: Table = read_table(path, section=COMMAND_LINE, key="the table")
    return {name: _objects(cells) for name, cells in zip(table.names, table.cells, strict=True)}


def _objects(cells: Any) -> Column:
    """Return cells without the blanks around them, equal ones as one object.

    Objects, because one long report would give each cell its length.
    """
    text = pc.utf8_trim_whitespace(pc.cast(cells, "large_string"))
    coded = text.combine_chunks().dictionary_encode()
    return np.array(coded.dictionary.to_pylist(), dtype=object)[coded.indices.to_numpy()]


def _ids_of_array(path: Path, names: Iterable[str]) -> dict[str, Column] | None:
    """Return the ids of a NumPy file under every name that a key may have; None for other files."""
    if path.suffix.lower() != ".npy":
        return None
    try:
        ids = np.load(path, allow_pickle=False)
    except (OSError, ValueError):
        raise UserError(f"{path}: no NumPy file of ids without pickles") from None
    if ids.ndim != 1:
        raise UserError(
            f"{path}: a matrix without ids; name the file that has them, a row each, with --ids"
        )
    return dict.fromkeys(names, ids.astype(str))


def _where(table: _Side, where: Sequence[str]) -> Int[np.ndarray, " row"]:
    kept = np.ones(len(next(iter(table.columns.values()))), bool)
    for condition in where:
        name, value = pair_of(condition, "--where")
        kept &= table.column(name, "--where") == value
    if not kept.any():
        raise UserError(f"{table.path}: no row is left by --where {' '.join(where)}")
    return np.flatnonzero(kept)


def _asked(manifest: _Side, key: str, wanted: Wanted) -> tuple[list[str], dict[str, Column]]:
    """Return every id of the manifest once, with the first cell that says something of each."""
    ids = manifest.column(key, "--key").astype(str)
    there = ids != ""
    if not there.any():
        raise UserError(f"{manifest.path}: no row has an id in its column {key!r}")
    if wanted.split is not None:
        splits = manifest.column(wanted.split_column, "--split_column")
        names = np.array([split_name(one) for one in splits])
        there &= names == split_name(wanted.split)
        if not there.any():
            have = split_names_text(Counter(names.tolist()), wanted=wanted.split)
            raise UserError(
                f"{manifest.path}: no row is in split {wanted.split!r}; there are {have}"
            )
    rows = np.flatnonzero(there)
    names, first, owner = np.unique(ids[rows], return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    columns = {}
    for name, cells in manifest.columns.items():
        said = np.flatnonzero(cells[rows] != "")[::-1]
        values = np.full(len(names), "", cells.dtype)
        values[owner[said]] = cells[rows][said]
        columns[name] = values[order]
    return names[order].tolist(), columns


def _matrices(
    path: Path, wanted: Wanted, kept: Int[np.ndarray, " row"], *, rows: int
) -> list[Vectors]:
    found = vectors_in(path)
    for name in map(Path, wanted.embeddings):
        own = vectors_in(name)
        if not own:
            raise UserError(f"{name}: holds no matrix (--embeddings); give a row an id")
        found += own
    for one in found:
        if one.rows != rows:
            raise UserError(
                f"{one.path}: {one.rows} rows for {rows} ids; rows and ids were not written "
                "together, and none of them can be trusted"
            )
    return [Vectors(one.name, one.source, kept) for one in found]


def _with_values(
    found: Predictions, table: _Side, kept: Int[np.ndarray, " row"], wanted: Wanted
) -> Predictions:
    """Return a table with the numbers and texts that were named."""
    scores, texts, unusable = [], [], {}
    first = _first_rows(found.place)
    for pair in wanted.scores:
        name, truth_name = pair_of(pair, "--score")
        cells = _numbers(table.column(name, "--score")[kept])
        unusable[name] = np.flatnonzero(~np.isfinite(cells))
        if truth_name not in found.manifest:
            raise UserError(f"{wanted.manifest}: no column {truth_name!r} (--score)")
        truth = _numbers(found.manifest[truth_name])[found.place[first]]
        there = first[np.isfinite(truth) & np.isfinite(cells[first])]
        asked = found.place[there]
        own = truth[np.isfinite(truth) & np.isfinite(cells[first])]
        scores.append(
            Scored(name, truth_name, cells[there], own, asked, there, found.people(asked))
        )
    for pair in wanted.texts:
        name, _, reference = pair.partition("=")
        reference = reference or found.report or "report"
        if reference not in found.manifest:
            raise UserError(f"{wanted.manifest}: no column {reference!r} (--text)")
        said = table.column(name, "--text")[kept]
        unusable[name] = np.flatnonzero(said == "")
        references = found.manifest[reference][found.place[first]]
        there = references != ""
        rows = first[there]
        texts.append(
            Told(name, said[rows].tolist(), references[there].tolist(), found.place[rows], rows)
        )
    return replace(found, scores=scores, texts=texts, unusable=unusable)


def _first_rows(place: Int[np.ndarray, " row"]) -> Int[np.ndarray, " item"]:
    """Return the first row of each id that was asked for."""
    ids, first = np.unique(place, return_index=True)
    return np.sort(first[ids >= 0])


def _numbers(cells: Column) -> Float[np.ndarray, " row"]:
    """Return cells as numbers, yes and no as 1 and 0; what is no number is not finite."""
    words = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}

    def number(cell: str) -> float:
        try:
            return float(cell)
        except ValueError:
            return words.get(cell.lower(), np.nan)

    return np.array([number(cell) for cell in cells], np.float64)
