"""The rows of a manifest, checked against one another."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Int

from cinelex.data.studies.coded import Coded, coded, constant, one_blank, trimmed
from cinelex.data.studies.study import SPLIT_NAMES, Columns
from cinelex.data.tables.table import DAMAGED, TEXT_CONTROLS, Table

ONLY_SPLIT = "all"
ANGLES = ("primary_angle", "secondary_angle")
CONTROLS = r"[\x00-\x1f\x7f-\x{9f}]"
PADDED = r"^0\d+$|^\d+\.0+$"
"""Numbers that a program for tables may write otherwise."""
NOTHING = pa.array(["nan", "NaN", "NAN", "<NA>", "NaT", "null", "NULL"], pa.large_string())
"""What programs write for a cell without a value."""
NO_SPLIT = (
    "split by patient with data.split_by_patient={train: 0.8, val: 0.1, test: 0.1}, or take all "
    "studies for one split, 'all', with data.columns.split=null"
)


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
        whole = constant(absent, table.rows) if name is None else coded(table.column(name))
        return whole if len(kept) == table.rows else whole.at(kept)

    video = trimmed(table.column(columns.video).cast(pa.large_string())).combine_chunks()
    rows = Rows(
        table=table,
        columns=columns,
        place=kept,
        study=study.at(kept),
        video=video if len(kept) == table.rows else video.take(pa.array(kept)),
        report=column(columns.report).mapped(_without_nan),
        split=column(columns.split, ONLY_SPLIT),
        patient=column(columns.patient).mapped(_without_nan),
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


def _without_nan(texts: Any) -> Any:
    """Return texts of which those that a program wrote for an empty cell are empty."""
    short = pc.less_equal(pc.binary_length(texts), 4)  # so that reports are not hashed once more
    if not pc.any(short).as_py():
        return texts
    return pc.if_else(pc.is_in(texts, value_set=NOTHING), "", texts)


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
    control = pc.match_substring_regex(rows.report.texts, TEXT_CONTROLS)
    problem = DAMAGED.format(section=rows.table.section)
    rows.refuse_first(rows.report.rows_where(control), columns.report, problem)
    for cells, name in short[:2]:
        rows.refuse_first(cells.blank(), name, "is empty")
    for cells, name in (short[0], short[2]):
        _refuse_two_spellings(rows, cells, name)


def _refuse_two_spellings(rows: Rows, cells: Coded, name: str | None) -> None:
    """Refuse numbers for ids of which one is there twice: 7 as 007, or as 7.0."""
    if not (pc.any(pc.match_substring_regex(cells.texts, PADDED)).as_py() or False):
        return
    whole = pc.replace_substring_regex(cells.texts, r"\.0+$", "")
    number = pc.match_substring_regex(whole, r"^\d+$").to_numpy(zero_copy_only=False)
    places = np.flatnonzero(number)
    plain = pc.utf8_ltrim(whole, characters="0").take(pa.array(places))
    codes = pc.index_in(plain, value_set=pc.unique(plain)).to_numpy(zero_copy_only=False)
    again = np.zeros(len(cells.texts), bool)
    again[places] = _first_of(codes) != np.arange(len(codes))
    problem = "an earlier row has the same number written otherwise (007, 7.0); write them alike"
    rows.refuse_first(cells.rows_where(pa.array(again)), name, problem)


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
    problem = (
        "the study has this video on an earlier row already; a row a video (further captions of "
        "a picture stand in columns of their own: clipse.caption_columns)"
    )
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


def _first_of(codes: Int[np.ndarray, " row"]) -> Int[np.ndarray, " row"]:
    """Return for every row the first row with the same code."""
    _, first, place = np.unique(codes, return_index=True, return_inverse=True)
    return np.asarray(first[place])
