"""The file of reports: the same rows in every form, and reports that can be found in them."""

import csv
import html
import io
import json
import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from striprtf.striprtf import rtf_to_text

from cinelex.data.synthetic.hospital.sheets import COLUMNS

pytestmark = pytest.mark.slow
Row = dict[str, Any]


def cells(text: str, separator: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))


def excel_csv(hospital: Path) -> list[list[str]]:
    text = (hospital / "reports.csv").read_bytes().decode("cp1252")
    assert text.startswith("sep=;\r\n")
    return cells(text.partition("\r\n")[2], ";")


def test_all_forms_hold_the_same_rows(hospital: Path) -> None:
    rows = excel_csv(hospital)
    assert rows[0] == list(COLUMNS)
    assert cells((hospital / "reports-utf8.csv").read_bytes().decode("utf-8-sig"), ",") == rows
    assert cells((hospital / "reports.tsv").read_bytes().decode("utf-16"), "\t") == rows
    lines = (hospital / "reports.jsonl").read_text().splitlines()
    assert [list(json.loads(line).values()) for line in lines] == rows[1:]
    sheet = openpyxl.load_workbook(hospital / "reports.xlsx").active
    assert sheet is not None
    assert [[cell or "" for cell in row] for row in sheet.iter_rows(values_only=True)] == rows


def test_every_report_holds_what_must_come_out(
    hospital: Path, reports: list[Row], studies: list[Row]
) -> None:
    by_study = {row["study"]: row for row in studies}
    rows = excel_csv(hospital)[1:]
    assert len(rows) == len(reports)
    for row, truth in zip(rows, reports, strict=True):
        if truth["study"] is None:
            continue
        text = row[-1]
        if truth["markup"] == "rtf":
            text = rtf_to_text(text)
        if truth["markup"] == "html":
            text = html.unescape(re.sub("<[^>]*>", "", text))
        kept = [
            line
            for line in text.splitlines()
            if line and not re.match(r"(\w+ )?[A-Za-z]+:( |$)", line)
        ]
        found, report = " ".join(kept), by_study[truth["study"]]["report"]
        assert found.startswith(report)
        assert truth["named"] == (found != report)


def test_a_row_tells_its_study_in_one_way(
    hospital: Path, reports: list[Row], studies: list[Row]
) -> None:
    by_study = {row["study"]: row for row in studies}
    for row, truth in zip(excel_csv(hospital)[1:], reports, strict=True):
        accession, study_uid, patient_id, day = row[:4]
        filled = (bool(accession), bool(study_uid), bool(patient_id and day))
        wanted = ("accession", "study_uid", "patient_date")
        assert filled == tuple(truth["join"] == name for name in wanted)
        if truth["study"] is not None:
            study = by_study[truth["study"]]
            own = {study["accession"], study["study_uid"], study["patient_id"]}
            assert {accession, study_uid, patient_id} - {""} <= own
