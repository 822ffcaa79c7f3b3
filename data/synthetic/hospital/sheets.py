"""The file of reports: who has which report, with what is missing, and in several forms."""

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final, Literal
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np

from cinelex.core.files import write_whole
from cinelex.data.synthetic.hospital.letters import Markup, write_letter
from cinelex.data.synthetic.hospital.people import uid
from cinelex.data.synthetic.hospital.planning import draw_patient
from cinelex.data.synthetic.hospital.settings import HospitalSettings
from cinelex.data.synthetic.hospital.visits import Visit

Join = Literal["accession", "study_uid", "patient_date"]
JOINS: Final[tuple[Join, ...]] = ("accession", "study_uid", "patient_date")
JOIN_ODDS: Final = (0.6, 0.2, 0.2)
COLUMNS: Final = (
    "Accession Number", "Study Instance UID", "Patient ID", "Exam Date", "Patient Name",
    "Birth Date", "Report Text",
)  # fmt: skip
WRITTEN: Final = b"2021-01-01T00:00:00Z"
MOST_DAYS_OFF: Final = 2
"""How far the date of a report may lie behind that of its study."""


@dataclass(frozen=True)
class Entry:
    """A row of the file of reports, and the truth about it."""

    cells: tuple[str, ...]
    study: str | None
    """In the plan of studies; None where it was not exported."""
    join: Join
    """What tells its study."""
    markup: Markup
    named: bool


def list_reports(visits: Sequence[Visit], settings: HospitalSettings) -> list[Entry]:
    """Return the rows, in an order that has nothing to do with that of the studies."""
    draw = np.random.default_rng((settings.studies.seed, 14))
    taken = {(visit.patient.id, visit.when.date()) for visit in visits}
    entries = []
    for visit, misses in zip(visits, draw.random(len(visits)), strict=True):
        if misses >= settings.missing_report_rate:
            entries.append(_entry(visit, settings, draw, taken))
    repeated = round(settings.repeated_report_rate * len(visits))
    entries += [entries[int(place)] for place in draw.integers(len(entries), size=repeated)]
    for number in range(round(settings.stray_report_rate * len(visits))):
        entries.append(_stray(visits[number], len(visits) + number, settings, draw))
    return [entries[int(place)] for place in draw.permutation(len(entries))]


def _entry(
    visit: Visit, settings: HospitalSettings, draw: np.random.Generator,
    taken: set[tuple[str, date]],
) -> Entry:  # fmt: skip
    """Return the row of a study, with one way to find the study, and no more."""
    join = JOINS[int(draw.choice(len(JOINS), p=JOIN_ODDS))]
    days = int(draw.integers(MOST_DAYS_OFF + 1))
    near = [visit.when.date() + timedelta(days=n) for n in range(-5, 6) if n]
    if any((visit.patient.id, day) in taken for day in near):
        join = "accession"  # a date would name two studies
    day = visit.when + timedelta(days=days)
    shown = day.strftime(("%d.%m.%Y", "%Y-%m-%d")[int(draw.integers(2))])
    letter = write_letter(visit, settings)
    cells = (
        visit.accession if join == "accession" else "",
        visit.study_uid if join == "study_uid" else "",
        visit.patient.id if join == "patient_date" else "",
        shown if join == "patient_date" else "",
        visit.patient.name.dicom.replace("^", ", "),
        visit.patient.birth.strftime("%d.%m.%Y"),
        letter.text,
    )
    return Entry(cells, visit.plan.id, join, letter.markup, letter.named)


def _stray(
    like: Visit, number: int, settings: HospitalSettings, draw: np.random.Generator
) -> Entry:
    """Return the row of a study that was never exported, of a patient whom nobody knows."""
    seed = settings.studies.seed
    visit = replace(
        like, number=number, patient=draw_patient(f"stray-{number}", seed=seed),
        accession=f"QB{number:011d}", study_uid=uid(seed, "stray", number),
    )  # fmt: skip
    return replace(_entry(visit, settings, draw, set()), study=None)


def write_sheets(entries: Sequence[Entry], folder: Path) -> None:
    """Write the rows as Excel in its forms, as CSV, and as JSON lines."""
    rows = [COLUMNS, *(entry.cells for entry in entries)]
    excel = _csv(rows, ";")
    write_whole(folder / "reports.csv", f"sep=;\r\n{excel}".encode("cp1252"))
    write_whole(folder / "reports-utf8.csv", _csv(rows, ",").encode("utf-8-sig"))
    write_whole(folder / "reports.tsv", _csv(rows, "\t").encode("utf-16"))
    lines = [
        json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False) for row in rows[1:]
    ]
    write_whole(folder / "reports.jsonl", "\n".join(lines) + "\n")
    _write_excel(rows, folder / "reports.xlsx")


def _csv(rows: Sequence[Sequence[str]], separator: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def _write_excel(rows: Sequence[Sequence[str]], path: Path) -> None:
    """Write a workbook; what would say when it was written says `WRITTEN`."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Export")
    for row in rows:
        sheet.append(row)
    made = io.BytesIO()
    book.save(made)
    with ZipFile(made) as parts, ZipFile(path, "w", ZIP_DEFLATED) as target:
        for name in parts.namelist():
            content = parts.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT[\d:]+Z", WRITTEN, content)
            target.writestr(ZipInfo(name), content, ZIP_DEFLATED)
