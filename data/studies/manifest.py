"""From a manifest file to checked studies."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cinelex.core.errors import UserError
from cinelex.core.files import hash_file, hash_json
from cinelex.data.studies.joining import join_rows
from cinelex.data.studies.paths import checked_names
from cinelex.data.studies.rows import read_rows, refuse_contradictions, refuse_videos_twice
from cinelex.data.studies.splits import Shares, split_by_patient, split_names_text
from cinelex.data.studies.studies import Studies
from cinelex.data.studies.study import Columns, split_name
from cinelex.data.tables.read import read_table

DROPPED = {"no_video": "without a video's path", "empty_report": "without a report"}
"""What a study is that is left out, by the name it is counted under."""
LONGEST_REPORT = 100_000
"""Characters; longer reports are cut there, and counted."""


@dataclass(frozen=True)
class Manifest:
    """The studies of a manifest, and what was left out."""

    path: Path
    video_root: Path
    """Absolute."""
    studies: Studies
    """In order of appearance."""
    dropped: Mapping[str, int]
    """Studies left out: "empty_report", "no_video"."""
    reports_cut: int
    """Reports longer than the limit, which were cut there."""
    hash: str
    """Of the file's bytes and the way it was read."""
    how: str
    """How the file was read, in a few words."""
    study_column: str = "study_id"
    """The column of the studies' ids."""
    held_out: bool = False
    """Whether what validates was taken from the training split."""

    def split(self, name: str) -> Studies:
        """Return the studies of one split, by any of its names (see ``split_name``).

        Raises:
            UserError: There is no such split; the message lists those there are.
        """
        found = self.studies.of_split(split_name(name))
        if not len(found):
            have = split_names_text(self.splits(), wanted=name)
            raise UserError(f"{self.path}: no study is in split {name!r}; there are {have}")
        return found

    def splits(self) -> dict[str, int]:
        """Return how many studies each split has, in order of appearance."""
        return self.studies.splits()


def load_manifest(
    path: Path,
    *,
    columns: Columns | None = None,
    separator: str | None = None,
    encoding: str | None = None,
    video_root: Path | None = None,
    require_reports: bool = True,
    shares: Shares | None = None,
    links_out: bool = False,
) -> Manifest:
    """Read and check a manifest: one row a video, any number of rows a study.

    A study's report and patient may stand on any of its rows; rows that leave them empty follow
    the others. Split names are lower-cased, and "validation", "valid" and "dev" read as "val".

    Args:
        path: Any table that ``read_table`` reads.
        columns: Which column holds what.
        separator: Between the cells of a CSV, any text; None finds out.
        encoding: Of a text file; None finds out.
        video_root: What relative video paths are below; None takes the manifest's folder.
        require_reports: Whether a study without a report is dropped (and counted) or kept.
        shares: Splits the studies by patient; no split column is read then.
        links_out: Whether links may lead out of the video root.

    Raises:
        UserError: The file or a row is wrong; the message has the line and the column, and never
            the text of a cell.
    """
    columns = columns or Columns()
    if shares is not None:
        columns = replace(columns, split=None)
    with ThreadPoolExecutor(1) as beside:
        hashed = beside.submit(hash_file, path) if path.is_file() else None
        table = read_table(path, separator=separator, encoding=encoding)
        columns = columns.found_in(table.names)
        rows = read_rows(table, columns)
        root = Path(path.parent if video_root is None else video_root).absolute()
        names = checked_names(rows, root, links_out=links_out)
        refuse_videos_twice(rows, names)
        refuse_contradictions(rows)
        studies = Studies(join_rows(rows, names), root)
    count, how = len(rows.place), table.how
    del table, rows, names
    pa.default_memory_pool().release_unused()  # what comes next would be held on top of it
    kept, dropped = _drop(studies, need_report=require_reports and columns.report is not None)
    if not len(kept):
        left_out = ", ".join(f"{number} {DROPPED[why]}" for why, number in dropped.items())
        raise UserError(
            f"{path}: no study is left of {count} rows ({left_out})"
            if count
            else f"{path}: has a header and no row"
        )
    if shares is not None:
        kept = split_by_patient(kept, shares)
    kept, reports_cut = _cut_reports(kept)
    assert hashed is not None, "a file that is missing was refused"
    read_as = {
        "file": hashed.result(),
        "columns": asdict(columns),
        "how": how,
        "require_reports": require_reports,
        "max_report_chars": LONGEST_REPORT,
        "shares": None if shares is None else asdict(shares),
    }
    hashed_as = hash_json(read_as)
    return Manifest(path, root, kept, dropped, reports_cut, hashed_as, how, columns.study)


def _drop(studies: Studies, *, need_report: bool) -> tuple[Studies, dict[str, int]]:
    """Leave out, and count, studies without a video or without a report."""
    with_video = studies.video_counts > 0
    said = studies.table["report"].is_valid().to_numpy()
    kept = with_video & (said | (not need_report))
    no_video, empty_report = int((~with_video).sum()), int((with_video & ~kept).sum())
    table = studies.table if kept.all() else studies.table.filter(pa.array(kept))
    return Studies(table, studies.root), {"no_video": no_video, "empty_report": empty_report}


def _cut_reports(studies: Studies) -> tuple[Studies, int]:
    """Return the studies with no report longer than the limit, and how many were cut."""
    column = studies.table["report"].combine_chunks()
    long = pc.greater(pc.utf8_length(column.dictionary), LONGEST_REPORT).to_numpy(
        zero_copy_only=False
    )
    if not long.any():
        return studies, 0
    cut = np.asarray(pc.fill_null(column.indices, int(np.argmin(long))).to_numpy())
    texts = pc.utf8_slice_codeunits(column.dictionary, 0, LONGEST_REPORT)
    place = studies.table.column_names.index("report")
    shorter = pa.DictionaryArray.from_arrays(column.indices, texts)
    table = studies.table.set_column(place, "report", shorter)
    return Studies(table, studies.root), int(long[cut].sum())
