"""Which report belongs to which study."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from cinelex.data.prepare.report_columns import parse_days, plain_id

AMBIGUOUS, UNKNOWN, EMPTY = "ambiguous", "no_such_study", "no_text"


@dataclass(frozen=True)
class Line:
    """A row of a table of reports; it stays in ``private/``."""

    place: str
    """How a person finds it, such as "line 7"."""
    accession: str
    study_uid: str
    patient: str
    day: date | None
    text: str


@dataclass(frozen=True)
class Joined:
    """What found its partner, and what did not."""

    lines: dict[str, list[Line]]
    """The lines of each study, in their order, by the study's key."""
    ways: Counter[str]
    """Lines by what they were joined by."""
    left: list[tuple[Line, str]]
    """Lines without a study, and why."""


def lines_of(places: Sequence[str], cells: dict[str, list[str]]) -> list[Line]:
    """Return the rows of a table, given its columns by field."""
    blank = [""] * len(places)
    columns = [cells.get(field, blank) for field in ("accession", "study_uid", "patient")]
    days = parse_days(cells.get("date", blank))
    return [
        Line(place, plain_id(accession), uid.strip(), plain_id(patient), day, text)
        for place, accession, uid, patient, day, text in zip(
            places, *columns, days, cells["text"], strict=True
        )
    ]


def join(lines: Sequence[Line], studies: pd.DataFrame, *, window_days: int) -> Joined:
    """Join lines with studies by accession, else by study UID, else by patient and day.

    A line whose accession is that of studies of several patients is ambiguous, and so is one whose
    patient has two studies equally near. A line of an accession with several studies is each one's.

    Args:
        lines: The reports.
        studies: A row a study: "study_id", "patient_id", and the private columns of headers.
        window_days: Days that may lie between a report and its study.
    """
    index = _Index(studies, window_days)
    joined = Joined(defaultdict(list), Counter(), [])
    for line in lines:
        if not line.text.strip():
            joined.left.append((line, EMPTY))
            continue
        way, found = index.find(line)
        among = found if way == "patient_date" else {index.patients[study] for study in found}
        if len(among) != 1:
            joined.left.append((line, AMBIGUOUS if found else UNKNOWN))
            continue
        joined.ways[way] += 1
        for study in found:
            joined.lines[study].append(line)
    return joined


class _Index:
    """Studies by everything that a report may name them by."""

    def __init__(self, studies: pd.DataFrame, window_days: int) -> None:
        self.window_days = window_days
        self.patients = dict(zip(studies["study_id"], studies["patient_id"], strict=True))
        self.by_accession: dict[str, list[str]] = defaultdict(list)
        self.by_uid: dict[str, list[str]] = defaultdict(list)
        self.by_patient: dict[str, list[tuple[date, str]]] = defaultdict(list)
        names = ("study_id", "accession", "study_uid", "patient", "study_date")
        for study, accession, uid, patient, day in zip(*(studies[n] for n in names), strict=True):
            if accession:
                self.by_accession[plain_id(accession)].append(study)
            if uid:
                self.by_uid[uid].append(study)
            if isinstance(day, str):  # pandas has NaN for none
                self.by_patient[plain_id(patient)].append((date.fromisoformat(day), study))

    def find(self, line: Line) -> tuple[str, list[str]]:
        """Return the way that leads to any study, and the studies."""
        if line.accession in self.by_accession:
            return "accession", self.by_accession[line.accession]
        if line.study_uid in self.by_uid:
            return "study_uid", self.by_uid[line.study_uid]
        return "patient_date", self._nearest(line)

    def _nearest(self, line: Line) -> list[str]:
        """Return the patient's studies nearest to the line's day; two are a tie."""
        if line.day is None:
            return []
        away = [(abs((day - line.day).days), s) for day, s in self.by_patient[line.patient]]
        least = min(away, default=(self.window_days + 1, ""))[0]
        return [study for days, study in away if days == least <= self.window_days]
