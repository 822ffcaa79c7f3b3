"""The rows of a manifest, checked against one another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Int

from cinelex.data.studies.study import SPLIT_NAMES, Columns
from cinelex.data.tables.table import Table

ONLY_SPLIT = "all"
ANGLES = ("primary_angle", "secondary_angle")
CONTROLS = r"[\x00-\x1f\x7f-\x{9f}]"
REPORT_CONTROLS = r"[\x00-\x08\x0e-\x1f\x7f-\x{9f}]"
"""What no report may hold; line breaks, tabs and page breaks are blanks."""
INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff" + "".join(
    mark for mark in map(chr, range(0x3001)) if mark.isspace()
)
"""Marks without width, and blanks, which text copied from pages and messengers has at its ends."""
ENCODING_ADVICE = "set data.encoding"
NO_SPLIT = (
    "split by patient with data.split_by_patient={train: 0.8, val: 0.1, test: 0.1}, or take all "
    "studies for one split, 'all', with data.columns.split=null"
)


@dataclass(frozen=True)
class Coded:
    """Text cells, each said once, and which of them every row has."""

    texts: pa.LargeStringArray
    """Different from one another, by first appearance."""
    codes: Int[np.ndarray, " row"]
    """The place in ``texts`` of every row's."""

    def rows_where(self, true: Any) -> Bool[np.ndarray, " row"]:
        """Return which rows have a text for which an Arrow array over ``texts`` is true."""
        mask = np.asarray(true.to_numpy(zero_copy_only=False), bool)
        return mask[self.codes] if mask.any() else np.zeros(len(self.codes), bool)

    def blank(self) -> Bool[np.ndarray, " row"]:
        """Return which rows say nothing."""
        return self.rows_where(pc.equal(self.texts, ""))

    def at(self, rows: Int[np.ndarray, " chosen"]) -> "Coded":
        """Return some rows, in another order."""
        return Coded(self.texts, self.codes[rows])

    def mapped(self, change: Callable[[Any], Any]) -> "Coded":
        """Return what an Arrow function makes of the texts; equal results are one text."""
        return _recoded(change(self.texts), self.codes)


def trimmed(cells: Any) -> Any:
    """Return cells without blanks around them, nor marks that nobody sees."""
    plain = pc.utf8_trim_whitespace(cells)
    return plain if pc.all(pc.string_is_ascii(plain)).as_py() else pc.utf8_trim(plain, INVISIBLE)


def composed(texts: Any) -> Any:
    """Return texts with each accent in its letter (NFC), as most systems write them."""
    ascii_only = pc.all(pc.string_is_ascii(texts)).as_py()
    return texts if ascii_only else pc.utf8_normalize(texts, "NFC")


def coded(cells: Any) -> Coded:
    """Return a column's cells without blanks around them, each accent in its letter.

    Cells that repeat the one above them, as reports do, are neither copied nor hashed.
    """
    if pa.types.is_dictionary(cells.type):
        return _of_dictionaries(cells.chunks)
    runs = [pc.run_end_encode(chunk) for chunk in cells.chunks]
    texts = pa.chunked_array([composed(trimmed(run.values)) for run in runs], pa.large_string())
    ends = [np.diff(run.run_ends.to_numpy(), prepend=0) for run in runs]
    lengths = np.concatenate(ends) if ends else np.zeros(0, np.int64)
    del runs
    return _recoded(texts, np.repeat(np.arange(len(lengths)), lengths))


def _of_dictionaries(chunks: Sequence[Any]) -> Coded:
    known = [composed(trimmed(chunk.dictionary)) for chunk in chunks]
    starts = np.cumsum([0, *map(len, known)])
    codes = [start + chunk.indices.to_numpy() for start, chunk in zip(starts, chunks, strict=False)]
    return _recoded(pa.chunked_array(known, pa.large_string()), np.concatenate(codes))


def _recoded(texts: Any, codes: Int[np.ndarray, " row"]) -> Coded:
    different = pc.unique(texts)
    if len(different) == len(texts):
        return Coded(different, codes)
    places = pc.index_in(texts, value_set=different)
    return Coded(different, np.asarray(places.to_numpy())[codes])


@dataclass(frozen=True)
class Rows:
    """The named columns, a row each that is not blank."""

    table: Table
    columns: Columns
    place: Int[np.ndarray, " row"]
    """The row of the table."""
    study: Coded
    video: pa.LargeStringArray
    report: Coded
    split: Coded
    patient: Coded
    noise: Coded
    view: Coded
    angles: dict[str, Coded]
    """By field of ``Columns``."""
    extra: dict[str, Coded]
    """By column."""

    def refuse_first(
        self, wrong: Bool[np.ndarray, " row"], column: str | None, problem: str
    ) -> None:
        """Refuse the first row that is wrong, if there is one."""
        if wrong.any():
            raise self.table.refusal(int(self.place[wrong.argmax()]), column, problem)


def read_rows(table: Table, columns: Columns) -> Rows:
    """Return the named columns under our names, blank lines left out.

    Optional columns that are not there are filled in.

    Raises:
        UserError: A column is missing, or a cell is empty or damaged where it must not be.
    """
    table.refuse_missing(columns.named(), advice={columns.split: NO_SPLIT})
    study = coded(table.column(columns.study))
    kept = _not_blank(table, study)

    def column(name: str | None, absent: str = "") -> Coded:
        whole = _constant(absent, table.rows) if name is None else coded(table.column(name))
        return whole if len(kept) == table.rows else whole.at(kept)

    video = trimmed(table.column(columns.video).cast(pa.large_string())).combine_chunks()
    rows = Rows(
        table=table,
        columns=columns,
        place=kept,
        study=study.at(kept),
        video=video if len(kept) == table.rows else video.take(pa.array(kept)),
        report=column(columns.report),
        split=column(columns.split, ONLY_SPLIT),
        patient=column(columns.patient),
        noise=column(columns.noise_mse),
        view=column(columns.view).mapped(pc.utf8_lower),
        angles={name: column(getattr(columns, name)) for name in ANGLES},
        extra={name: column(name) for name in columns.extra},
    )
    _refuse_damaged(rows)
    return replace(rows, split=rows.split.mapped(_split_names))


def _not_blank(table: Table, study: Coded) -> Int[np.ndarray, " row"]:
    """Return the rows in which some cell says something."""
    blank = study.blank()
    for cells in table.cells:
        if blank.any():
            blank &= pc.equal(cells, "").to_numpy()
    return np.flatnonzero(~blank)


def _constant(text: str, rows: int) -> Coded:
    return Coded(pa.array([text], pa.large_string()), np.zeros(rows, np.int64))


def _split_names(texts: Any) -> Any:
    lower = pc.utf8_lower(texts)
    return pa.array([SPLIT_NAMES.get(name, name) for name in lower.to_pylist()], pa.large_string())


def _refuse_damaged(rows: Rows) -> None:
    columns = rows.columns
    short = (
        (rows.study, columns.study),
        (rows.split, columns.split),
        (rows.patient, columns.patient),
    )
    for cells, name in short:
        control = pc.match_substring_regex(cells.texts, CONTROLS)
        rows.refuse_first(cells.rows_where(control), name, "holds a control character")
    control = pc.match_substring_regex(rows.report.texts, REPORT_CONTROLS)
    problem = f"holds a control character; was it saved in another encoding? {ENCODING_ADVICE}"
    rows.refuse_first(rows.report.rows_where(control), columns.report, problem)
    for cells, name in short[:2]:
        rows.refuse_first(cells.blank(), name, "is empty")


def refuse_videos_twice(rows: Rows, names: pa.LargeStringArray) -> None:
    """Refuse a video that a study has twice, and one that two splits share.

    Raises:
        UserError: There is such a video; the message has the row.
    """
    there = np.flatnonzero(pc.not_equal(names, "").to_numpy(zero_copy_only=False))
    video = names if len(there) == len(names) else names.take(pa.array(there))
    different = pc.unique(video)
    if len(different) == len(video):
        return
    codes = pc.index_in(video, value_set=different).to_numpy().astype(np.int64)
    pairs = rows.study.codes[there].astype(np.int64) * len(different) + codes
    wrong = np.zeros(len(names), bool)
    wrong[there] = _first_of(pairs) != np.arange(len(pairs))
    problem = "the study has this video on an earlier row already"
    rows.refuse_first(wrong, rows.columns.video, problem)
    split = rows.split.codes[there]
    wrong[there] = split[_first_of(codes)] != split
    rows.refuse_first(wrong, rows.columns.video, "an earlier row has it in another split")


def refuse_contradictions(rows: Rows) -> None:
    """Refuse a study whose rows name two splits, patients or reports, and a patient in two splits.

    A blank patient or report contradicts nothing, and neither do blanks and line breaks of a report
    that differ.

    Raises:
        UserError: There is such a study or patient; the message has both rows.
    """
    columns = rows.columns
    for what, owner, column, cells, problem in (
        ("study", rows.study, columns.split, rows.split, "is in another split"),
        ("study", rows.study, columns.patient, rows.patient, "has another patient"),
        ("study", rows.study, columns.report, rows.report, "has another report"),
        ("patient", rows.patient, columns.patient, rows.split, "is in another split"),
    ):
        said = np.flatnonzero(~(owner.blank() | cells.blank()))
        first = said[_first_of(owner.codes[said])]
        wrong = cells.codes[first] != cells.codes[said]
        if wrong.any() and cells is rows.report:
            plain = cells.mapped(one_blank).codes
            wrong = plain[first] != plain[said]
        if wrong.any():
            place = int(wrong.argmax())
            where = rows.table.where(int(rows.place[first[place]]))
            row = int(rows.place[said[place]])
            raise rows.table.refusal(row, column, f"the same {what} {problem} at {where}")


def one_blank(texts: Any) -> Any:
    """Return texts with one space for every run of blanks and line breaks."""
    plain = [" ".join(text.split()) for text in texts.to_pylist()]
    return pa.array(plain, pa.large_string())


def _first_of(codes: Int[np.ndarray, " row"]) -> Int[np.ndarray, " row"]:
    """Return for every row the first row with the same code."""
    _, first, place = np.unique(codes, return_index=True, return_inverse=True)
    return np.asarray(first[place])
