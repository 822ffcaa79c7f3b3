"""Many studies in one Arrow table, made into objects when somebody looks at one."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Int, Int64

from cinelex.data.studies.study import Study

PER_VIDEO = ("videos", "views", "primary_angle", "secondary_angle")
"""Columns with a list a study, an entry a video; null where the manifest has no such column."""
STORED = "store:"
"""What the name of a video in the store beside the manifest begins with."""
BLOCK = 4096
"""Studies that are made at once when all are looked at."""
EXTRA = "extra "
"""What the names of further columns begin with."""


class Studies(Sequence[Study]):
    """Studies in order, a row each of one table.

    Columns: ``id``, ``patient``, ``split``, ``report`` (a dictionary; null where there is none),
    ``noise_mse`` (null where unknown), those of ``PER_VIDEO``, and ``extra …``. A video's name is
    its path below the root, or ``store:…``.
    """

    def __init__(self, table: pa.Table, root: Path) -> None:
        """Hold a table, without copying it; ``root`` is the absolute folder of its videos."""
        self.table = table
        self.root = root

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @overload
    def __getitem__(self, index: int) -> Study: ...
    @overload
    def __getitem__(self, index: slice) -> "Studies": ...
    def __getitem__(self, index: int | slice) -> "Study | Studies":
        if isinstance(index, slice):
            return self.take(np.arange(len(self))[index])
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(f"study {index} of {len(self)}")
        return self._made(self.table.slice(place, 1))[0]

    def __iter__(self) -> Iterator[Study]:
        for start in range(0, len(self), BLOCK):
            yield from self._made(self.table.slice(start, BLOCK))

    def __repr__(self) -> str:
        return f"Studies({len(self)})"

    @property
    def ids(self) -> list[str]:
        """Return the id of every study."""
        return list(self.table["id"].to_pylist())

    @property
    def reports(self) -> list[str]:
        """Return the report of every study, "" where it has none."""
        return [text or "" for text in self.table["report"].to_pylist()]

    def extra(self) -> dict[str, list[str]]:
        """Return the further columns of the manifest, by their names there."""
        names = [name for name in self.table.column_names if name.startswith(EXTRA)]
        return {name.removeprefix(EXTRA): self.table[name].to_pylist() for name in names}

    @property
    def video_names(self) -> pa.LargeStringArray:
        """Return the videos of all studies in order: paths below the root, or ``store:…``."""
        return self.table["videos"].combine_chunks().flatten()

    @property
    def video_counts(self) -> Int64[np.ndarray, " study"]:
        """Return how many videos each study has."""
        return np.asarray(pc.list_value_length(self.table["videos"]).to_numpy(), np.int64)

    @property
    def video_owner(self) -> Int64[np.ndarray, " video"]:
        """Return the study, by its place, of each video."""
        return np.repeat(np.arange(len(self)), self.video_counts)

    def paths(self, names: pa.LargeStringArray) -> list[Path]:
        """Return where videos are; those in a store keep their name."""
        return [self._path(name) for name in names.to_pylist()]

    def take(self, places: Sequence[int] | Int[np.ndarray, " chosen"]) -> "Studies":
        """Return some studies, in the order of ``places``."""
        return Studies(self.table.take(pa.array(np.asarray(places, np.int64))), self.root)

    def of_split(self, *names: str) -> "Studies":
        """Return the studies of one or more splits, by the names that studies carry."""
        chosen = pc.is_in(self.table["split"], pa.array(names, self.table["split"].type))
        return Studies(self.table.filter(chosen), self.root)

    def splits(self) -> dict[str, int]:
        """Return how many studies each split has, in order of appearance."""
        counts = pc.value_counts(self.table["split"]).to_pylist()
        return {row["values"]: row["counts"] for row in counts}

    def with_videos(self, kept: Bool[np.ndarray, " video"]) -> "Studies":
        """Return the studies with some of their videos, those left without any dropped."""
        if kept.all():
            return self
        counts = np.bincount(self.video_owner[kept], minlength=len(self))
        offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]))
        table = self.table
        for name in PER_VIDEO:
            values = table[name].combine_chunks().flatten()
            if not len(values):
                continue
            cut = pa.LargeListArray.from_arrays(offsets, values.filter(pa.array(kept)))
            table = table.set_column(table.column_names.index(name), name, cut)
        return Studies(table.filter(pa.array(counts > 0)), self.root)

    def report_groups(self) -> Int64[np.ndarray, " study"]:
        """Return a number for each report, the same where blanks alone differ, from 0."""
        used, codes = self.report_codes()
        plain = numbered(" ".join(text.split()) for text in used)
        return _by_appearance(plain[codes])

    def report_codes(self) -> tuple[list[str], Int64[np.ndarray, " study"]]:
        """Return the different reports of these studies, and the place of each study's in them."""
        column = pc.fill_null(self.table["report"].combine_chunks(), "")
        places, codes = np.unique(column.indices.to_numpy(), return_inverse=True)
        return column.dictionary.take(pa.array(places)).to_pylist(), codes

    def view_names(self) -> list[str]:
        """Return the views that the videos show, in alphabetical order."""
        return sorted(self.view_counts())

    def view_counts(self) -> dict[str, int]:
        """Return how many videos show each view."""
        found = pc.value_counts(self.table["views"].combine_chunks().flatten()).to_pylist()
        return {row["values"]: row["counts"] for row in found if row["values"]}

    def patient_groups(self) -> Int64[np.ndarray, " study"]:
        """Return a number for each patient, from 0 by first appearance."""
        patients = self.table["patient"]
        return np.asarray(pc.index_in(patients, value_set=pc.unique(patients)).to_numpy(), np.int64)

    def _path(self, name: str) -> Path:
        return Path(name) if name.startswith(STORED) else self.root / name

    def _made(self, rows: pa.Table) -> list[Study]:
        extra = [name for name in rows.column_names if name.startswith(EXTRA)]
        return [
            Study(
                id=row["id"],
                patient_id=row["patient"],
                videos=tuple(self._path(name) for name in row["videos"]),
                report=row["report"] or "",
                split=row["split"],
                views=tuple(row["views"] or ()),
                angles=tuple(
                    zip(row["primary_angle"] or (), row["secondary_angle"] or (), strict=True)
                ),
                noise_mse=row["noise_mse"],
                extra={name.removeprefix(EXTRA): row[name] for name in extra},
            )
            for row in rows.to_pylist()
        ]


def numbered(values: Iterable[str]) -> Int64[np.ndarray, " value"]:
    """Return a number for each value, the same for the same value, from 0 by first appearance."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], np.int64)


def _by_appearance(codes: Int64[np.ndarray, " row"]) -> Int64[np.ndarray, " row"]:
    """Return other numbers for the same groups: from 0 by first appearance."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]
