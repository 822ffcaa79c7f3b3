"""From a manifest file to checked studies."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.errors import UserError
from core.files import hash_file, hash_json
from data.paths import check_links, checked_paths
from data.study import Study
from data.table import Table, read_table

SPLIT_NAMES = {"training": "train", "valid": "val", "validation": "val", "dev": "val"}
LONGEST_REPORT = 100_000


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Which column of the manifest holds what."""

    study: str = "study_id"
    video: str = "video_path"
    report: str | None = "report"
    """None reads no report, as inference may; every study then has an empty one."""
    split: str | None = "split"
    """None puts every study in the split "all"."""
    patient: str | None = None
    """None takes every study for a patient of its own."""
    noise_mse: str | None = None
    extra: tuple[str, ...] = ()
    """Further columns to keep beside the study."""


@dataclass(frozen=True)
class Manifest:
    """The studies of a manifest, and what was left out."""

    path: Path
    video_root: Path
    studies: tuple[Study, ...]
    dropped: Mapping[str, int]
    """Counts: studies without a report, without a video; reports that were cut."""
    rows: int
    hash: str
    """Of the file's bytes and the way it was read."""

    def split(self, name: str) -> list[Study]:
        """Return the studies of one split.

        Raises:
            UserError: There is no such split; the message lists those there are.
        """
        found = [study for study in self.studies if study.split == name]
        if not found:
            have = ", ".join(f"{split} ({count})" for split, count in self.splits().items())
            raise UserError(f"{self.path}: no study in split {name!r}; there are {have}")
        return found

    def splits(self) -> dict[str, int]:
        """Return how many studies each split has, in order of appearance."""
        counts: dict[str, int] = {}
        for study in self.studies:
            counts[study.split] = counts.get(study.split, 0) + 1
        return counts


def load_manifest(
    path: Path,
    *,
    columns: Columns,
    separator: str = ",",
    video_root: Path | None = None,
    allow_outside: bool = False,
    require_reports: bool = True,
    max_report_chars: int = LONGEST_REPORT,
) -> Manifest:
    """Read and check a manifest: one row a video, any number of rows a study.

    A study's report may stand on any of its rows; rows that leave it empty follow the others.

    Args:
        path: CSV or Parquet.
        columns: Which column holds what.
        separator: Between the cells of a CSV; any text.
        video_root: What relative video paths are below; None takes the manifest's folder.
        allow_outside: Whether absolute paths and links may lead out of ``video_root``.
        require_reports: Whether a study without a report is dropped (and counted) or kept.
        max_report_chars: Longer reports are cut there, and counted.

    Raises:
        UserError: The file or a row is wrong; the message has the line and the column, and never
            the text of a cell.
    """
    table = read_table(path, separator=separator)
    root = Path(path.parent if video_root is None else video_root).absolute()
    cells = _mapped(table, columns)
    _refuse_nul(table, cells, columns)
    for field in ("study", "split", "patient", "video"):
        cells[field] = cells[field].str.strip()
    _refuse_empty(table, cells["study"], columns.study)
    if columns.split is not None:
        _refuse_empty(table, cells["split"], columns.split)
    split = cells["split"].str.lower()
    cells["split"] = split.replace(SPLIT_NAMES)
    has_video = (cells["video"] != "").to_numpy(bool)
    paths = checked_paths(table, columns.video, cells["video"], root, allow_outside)
    check_links(table, columns.video, paths, root, allow_outside)
    _refuse_doubled_video(table, columns, cells, has_video)
    grouped = _group(table, columns, cells)
    studies, dropped = _build(
        table, columns, cells, grouped, paths, has_video, require_reports, max_report_chars
    )
    if not studies:
        raise UserError(f"{path}: no study is left of {table.rows} rows; dropped: {dropped}")
    digest = hash_json(
        {
            "file": hash_file(path),
            "columns": [
                columns.study,
                columns.video,
                columns.report,
                columns.split,
                columns.patient,
                columns.noise_mse,
                list(columns.extra),
            ],
            "separator": separator,
            "require_reports": require_reports,
            "max_report_chars": max_report_chars,
        }
    )
    return Manifest(path, root, tuple(studies), dropped, table.rows, digest)


def _mapped(table: Table, columns: Columns) -> pd.DataFrame:
    """Return the named columns under our names; absent optional ones are filled in."""
    named = {
        "study": columns.study,
        "video": columns.video,
        "report": columns.report,
        "split": columns.split,
        "patient": columns.patient,
        "noise_mse": columns.noise_mse,
    } | {f"extra {name}": name for name in columns.extra}
    missing = [name for name in named.values() if name is not None and name not in table.columns]
    if missing:
        have = ", ".join(map(repr, table.columns))
        raise UserError(
            f"{table.path}: no column {missing[0]!r}; the file has {have}; set data.columns"
        )
    fill = {"split": "all"}
    frame = {
        ours: (
            table.columns[theirs].to_pandas().astype("str")
            if theirs is not None
            else pd.Series([fill.get(ours, "")] * table.rows, dtype="str")
        )
        for ours, theirs in named.items()
    }
    return pd.DataFrame(frame)


def _refuse(table: Table, row: int, column: str | None, problem: str) -> None:
    raise UserError(f"{table.path}: {table.where(row)}, column {column!r}: {problem}")


def _first(mask: Any) -> int | None:
    """Return the first row where a mask is True."""
    places = np.flatnonzero(np.asarray(mask, bool))
    return int(places[0]) if len(places) else None


def _refuse_nul(table: Table, cells: pd.DataFrame, columns: Columns) -> None:
    for field in ("study", "video", "report", "split", "patient"):
        row = _first(cells[field].str.contains("\0", regex=False))
        if row is not None:
            _refuse(table, row, getattr(columns, field), "holds a NUL byte; is the file damaged?")


def _refuse_empty(table: Table, cells: "pd.Series[str]", column: str) -> None:
    row = _first(cells == "")
    if row is not None:
        _refuse(table, row, column, "empty")


def _refuse_doubled_video(
    table: Table, columns: Columns, cells: pd.DataFrame, has_video: Any
) -> None:
    twice = cells.duplicated(["study", "video"]).to_numpy(bool) & has_video
    row = _first(twice)
    if row is not None:
        _refuse(table, row, columns.video, "the study has this video on an earlier row already")
    split_of = cells["split"].groupby(cells["video"]).transform("first")
    row = _first((split_of != cells["split"]).to_numpy(bool) & has_video)
    if row is not None:
        _refuse(table, row, columns.video, "an earlier row has this video in another split")


@dataclass(frozen=True)
class _Groups:
    """Rows by study."""

    study: Any
    """Study number of each row."""
    ids: Any
    first_row: Any
    """First row of each study."""
    report_row: Any
    """First row of each study that has its report; its first row where none has."""


def _group(table: Table, columns: Columns, cells: pd.DataFrame) -> _Groups:
    """Number the studies and refuse rows that contradict each other."""
    study, ids = pd.factorize(cells["study"])
    first_row = np.full(len(ids), len(study))
    np.minimum.at(first_row, study, np.arange(len(study)))
    blank = (cells["report"].str.strip() == "").to_numpy(bool)
    report_row = np.full(len(ids), len(study))
    np.minimum.at(report_row, study[~blank], np.flatnonzero(~blank))
    report_row = np.where(report_row == len(study), first_row, report_row)
    for field, own, what in (
        ("split", first_row, "is in another split"),
        ("patient", first_row, "has another patient"),
        ("report", report_row, "has another report"),
    ):
        codes = pd.factorize(cells[field])[0]
        differs = codes != codes[own[study]]
        if field == "report":
            differs &= ~blank
        row = _first(differs)
        if row is not None:
            other = table.where(int(own[study[row]]))
            _refuse(table, row, getattr(columns, field), f"the same study {what} on {other}")
    if columns.patient is not None:
        _refuse_leak(table, columns, cells)
    return _Groups(study, ids, first_row, report_row)


def _refuse_leak(table: Table, columns: Columns, cells: pd.DataFrame) -> None:
    patient = cells["patient"]
    split_of = cells["split"].groupby(patient).transform("first")
    row = _first((split_of != cells["split"]) & (patient != ""))
    if row is not None:
        other = table.where(int(np.flatnonzero((patient == patient[row]).to_numpy(bool))[0]))
        _refuse(table, row, columns.patient, f"the same patient is in another split on {other}")


def _build(
    table: Table,
    columns: Columns,
    cells: pd.DataFrame,
    groups: _Groups,
    paths: list[Path | None],
    has_video: Any,
    require_reports: bool,
    max_report_chars: int,
) -> tuple[list[Study], dict[str, int]]:
    """Make the studies, in order of appearance."""
    dropped = {"empty_report": 0, "no_video": 0, "reports_cut": 0}
    videos: list[list[Path]] = [[] for _ in groups.ids]
    for study, path in zip(groups.study, paths, strict=True):
        if path is not None:
            videos[study].append(path)
    reports = cells["report"].str.strip().take(groups.report_row).tolist()
    splits = cells["split"].take(groups.first_row).tolist()
    patients = cells["patient"].take(groups.first_row).tolist()
    noise = _numbers(table, columns, cells["noise_mse"], groups.first_row)
    extra = [cells[f"extra {name}"].take(groups.first_row).tolist() for name in columns.extra]
    studies = []
    for place, study_id in enumerate(groups.ids):
        report = reports[place]
        if not videos[place]:
            dropped["no_video"] += 1
            continue
        if not report and require_reports:
            dropped["empty_report"] += 1
            continue
        dropped["reports_cut"] += len(report) > max_report_chars
        studies.append(
            Study(
                id=study_id,
                patient_id=patients[place] or study_id,
                videos=tuple(videos[place]),
                report=report[:max_report_chars],
                split=splits[place],
                noise_mse=noise[place],
                extra={name: extra[i][place] for i, name in enumerate(columns.extra)},
            )
        )
    return studies, dropped


def _numbers(
    table: Table, columns: Columns, cells: "pd.Series[str]", rows: Any
) -> list[float | None]:
    text = cells.take(rows).str.strip()
    values = pd.to_numeric(text.where(text != ""), errors="coerce").to_numpy(float)
    wrong = _first((text != "").to_numpy(bool) & ~(np.isfinite(values) & (values >= 0)))
    if wrong is not None:
        _refuse(table, int(rows[wrong]), columns.noise_mse, "expected a number >= 0 or nothing")
    return [None if np.isnan(value) else float(value) for value in values]
