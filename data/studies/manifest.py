"""From a manifest file to checked studies."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from cinelex.core.errors import UserError
from cinelex.core.files import hash_file, hash_json
from cinelex.data.studies.paths import checked_paths
from cinelex.data.studies.rows import read_rows, refuse_contradictions, refuse_videos_twice
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
    refuse_videos_twice(table, columns, rows)
    refuse_contradictions(table, columns, rows)
    noise = _numbers(table, columns, rows["noise_mse"])
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
    columns: Columns, rows: pd.DataFrame, paths: list[Path | None], noise: pd.Series
) -> list[Study]:
    """Join the rows of each study, in order of appearance; its first cell that says much counts."""
    owner, ids = pd.factorize(rows["study"])
    videos: list[list[Path]] = [[] for _ in ids]
    for study, path in zip(owner.tolist(), paths, strict=True):
        if path is not None:
            videos[study].append(path)
    cells = rows.assign(report=rows["report"].str.strip())
    said = cells.where(cells != "").groupby(owner).first().fillna("").to_dict("records")
    noises = noise.groupby(owner).mean().tolist()
    return [
        Study(
            id=study["study"],
            patient_id=study["patient"] or study["study"],
            videos=tuple(own_videos),
            report=study["report"][:LONGEST_REPORT],
            split=study["split"],
            noise_mse=None if np.isnan(noise_mse) else noise_mse,
            extra={name: study[f"extra {name}"] for name in columns.extra},
        )
        for study, own_videos, noise_mse in zip(said, videos, noises, strict=True)
    ]


def _drop(studies: list[Study], *, need_report: bool) -> tuple[list[Study], dict[str, int]]:
    """Leave out, and count, studies without a video or without a report."""
    with_video = [study for study in studies if study.videos]
    kept = [study for study in with_video if study.report or not need_report]
    no_video, empty_report = len(studies) - len(with_video), len(with_video) - len(kept)
    return kept, {"no_video": no_video, "empty_report": empty_report}


def _numbers(table: Table, columns: Columns, cells: pd.Series) -> pd.Series:
    """Return the noise of every row, NaN where there is none."""
    values = pd.to_numeric(cells.where(cells != ""), errors="coerce").astype(float)
    wrong = (cells != "") & ~(np.isfinite(values) & (values >= 0))
    table.refuse_first(wrong, columns.noise_mse, "expected a number >= 0, or nothing")
    return values
