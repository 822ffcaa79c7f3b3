"""From a manifest file to checked studies."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cinelex.core.errors import UserError
from cinelex.core.files import hash_file, hash_json
from cinelex.data.studies.paths import check_links, checked_paths
from cinelex.data.studies.rows import (
    read_rows,
    refuse_contradictions,
    refuse_first,
    refuse_leaks,
    refuse_videos_twice,
)
from cinelex.data.studies.study import Columns, Manifest, Study
from cinelex.data.studies.table import Table, read_table

LONGEST_REPORT = 100_000
"""Characters; longer reports are cut there, and counted."""


def load_manifest(
    path: Path,
    *,
    columns: Columns | None = None,
    separator: str = ",",
    video_root: Path | None = None,
    require_reports: bool = True,
) -> Manifest:
    """Read and check a manifest: one row a video, any number of rows a study.

    A study's report and patient may stand on any of its rows; rows that leave them empty follow
    the others. Split names are lower-cased, and "validation", "valid" and "dev" read as "val".

    Args:
        path: CSV or Parquet.
        columns: Which column holds what.
        separator: Between the cells of a CSV; any text.
        video_root: What relative video paths are below; None takes the manifest's folder.
        require_reports: Whether a study without a report is dropped (and counted) or kept.

    Raises:
        UserError: The file or a row is wrong; the message has the line and the column, and never
            the text of a cell.
    """
    columns = columns or Columns()
    table = read_table(path, separator=separator)
    rows = read_rows(table, columns)
    root = Path(path.parent if video_root is None else video_root).absolute()
    paths = checked_paths(table, columns.video, rows["video"], root)
    check_links(table, columns.video, rows["video"], root)
    refuse_videos_twice(table, columns, rows)
    refuse_contradictions(table, columns, rows)
    refuse_leaks(table, columns, rows)
    noise = _numbers(table, columns, rows)
    found = _studies(columns, rows, paths, noise)
    kept, dropped = _drop(found, need_report=require_reports and columns.report is not None)
    if not kept:
        raise UserError(f"{path}: no study is left of {len(rows)} rows; dropped: {dropped}")
    how = {
        "file": hash_file(path),
        "columns": asdict(columns),
        "separator": separator,
        "require_reports": require_reports,
        "max_report_chars": LONGEST_REPORT,
    }
    return Manifest(
        path=path,
        video_root=root,
        studies=tuple(kept),
        dropped=dropped,
        reports_cut=sum(len(study.report) == LONGEST_REPORT for study in kept),
        hash=hash_json(how),
    )


def _studies(
    columns: Columns, rows: pd.DataFrame, paths: list[Path | None], noise: Any
) -> list[Study]:
    """Join the rows of each study, in order of appearance."""
    owner, ids = pd.factorize(rows["study"])
    videos: list[list[Path]] = [[] for _ in ids]
    for study, path in zip(owner.tolist(), paths, strict=True):
        if path is not None:
            videos[study].append(path)
    patients = _first_said(rows["patient"], owner, len(ids))
    reports = _first_said(rows["report"].str.strip(), owner, len(ids))
    splits = _first_said(rows["split"], owner, len(ids))
    extra = {name: _first_said(rows[f"extra {name}"], owner, len(ids)) for name in columns.extra}
    mean_noise = pd.Series(noise).groupby(owner).mean().tolist()
    return [
        Study(
            id=study_id,
            patient_id=patients[place] or study_id,
            videos=tuple(videos[place]),
            report=reports[place][:LONGEST_REPORT],
            split=splits[place],
            noise_mse=None if np.isnan(mean_noise[place]) else mean_noise[place],
            extra={name: values[place] for name, values in extra.items()},
        )
        for place, study_id in enumerate(ids.tolist())
    ]


def _first_said(cells: pd.Series, owner: Any, owners: int) -> list[str]:
    """Return each owner's first cell that is not empty, "" where all are."""
    said = np.flatnonzero((cells != "").to_numpy(bool))
    first = np.full(owners, -1)
    first[owner[said][::-1]] = said[::-1]  # the last assignment stays, which is the first row's
    texts = cells.iloc[np.maximum(first, 0)].tolist()
    return [text if row >= 0 else "" for text, row in zip(texts, first.tolist(), strict=True)]


def _drop(studies: list[Study], *, need_report: bool) -> tuple[list[Study], dict[str, int]]:
    """Leave out, and count, studies without a video or without a report."""
    with_video = [study for study in studies if study.videos]
    kept = [study for study in with_video if study.report or not need_report]
    no_video, empty_report = len(studies) - len(with_video), len(with_video) - len(kept)
    return kept, {"no_video": no_video, "empty_report": empty_report}


def _numbers(table: Table, columns: Columns, rows: pd.DataFrame) -> Any:
    """Return the noise of every row, NaN where there is none."""
    text = rows["noise_mse"]
    values = pd.to_numeric(text.where(text != ""), errors="coerce").to_numpy(float)
    wrong = (text != "").to_numpy(bool) & ~(np.isfinite(values) & (values >= 0))
    refuse_first(table, columns.noise_mse, rows, wrong, "expected a number >= 0, or nothing")
    return values
