"""Reports find their studies, and what names somebody stays behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from cinelex.core.errors import UserError
from cinelex.data.prepare.joining import join, lines_of
from cinelex.data.prepare.report_columns import find_columns, parse_days, plain_id
from cinelex.data.prepare.reports import read_reports
from cinelex.data.prepare.settings import ReportSettings

STUDIES = pd.DataFrame(
    {
        "study_id": ["s1", "s2", "s3"],
        "patient_id": ["p1", "p1", "p2"],
        "accession": ["00123", "A2", ""],
        "study_uid": ["1.1", "1.2", "1.3"],
        "patient": ["77", "77", "78"],
        "study_date": ["2018-03-12", "2018-03-20", None],
        "names": [["Zqdrovik^Anna"], [], []],
        "ids": [["QX5550"], [], []],
    }
)


@dataclass(frozen=True)
class OneFact:
    segment: str


@dataclass(frozen=True)
class Told:
    facts: Sequence[OneFact]
    sentences: int = 4
    understood: int = 3


def found(**cells: str) -> str:
    """Return the study that a line is joined with, or why it is not."""
    line = lines_of(["line 2"], {"text": ["Normal."], **{key: [v] for key, v in cells.items()}})
    joined = join(line, STUDIES, window_days=3)
    return next(iter(joined.lines), None) or joined.left[0][1]


def test_a_line_is_joined_by_the_first_thing_that_names_a_study() -> None:
    assert found(accession="123.0") == "s1"  # as Excel leaves it
    assert found(accession="unknown", study_uid="1.2") == "s2"
    assert found(patient="77", date="14.03.2018") == "s1"
    assert found(patient="77", date="16.03.2018") == "no_such_study"
    assert found(patient="78", date="14.03.2018") == "no_such_study"


def test_a_patient_with_two_studies_equally_near_is_ambiguous() -> None:
    assert found(patient="77", date="2018-03-16") == "no_such_study"
    lines = lines_of(["line 2"], {"text": ["x"], "patient": ["77"], "date": ["2018-03-16"]})
    assert join(lines, STUDIES, window_days=4).left[0][1] == "ambiguous"


def test_days_are_read_with_the_month_first_where_one_cell_says_so() -> None:
    assert parse_days(["03/04/2018", "03/25/2018"]) == [date(2018, 3, 4), date(2018, 3, 25)]
    assert parse_days(["03/04/2018", "x", "20180312", "2018-03-12T10:00"]) == [
        date(2018, 4, 3),
        None,
        date(2018, 3, 12),
        date(2018, 3, 12),
    ]


def test_ids_are_compared_as_excel_leaves_them() -> None:
    assert plain_id(" 00123 ") == plain_id("123.0") == "123"
    assert plain_id("a01") == "A01"


def test_a_wrong_column_is_refused_with_the_nearest_names() -> None:
    with pytest.raises(UserError, match=r"no column 'Acession'.*nearest: 'Accession Number'"):
        find_columns(["Accession Number", "Report"], {"accession": "Acession"})
    with pytest.raises(UserError, match=r"text of the reports.*reports\.columns\.text="):
        find_columns(["Accession", "Reprot"], {})
    with pytest.raises(UserError, match=r"an accession number, a StudyInstanceUID"):
        find_columns(["Patient ID", "Report"], {})


def test_of_a_table_without_a_header_nothing_is_repeated() -> None:
    row = ["P1", "Zqdrovik^Anna", "1.2.3", "Mrs. Zqdrovik has a normal report."]
    for given in ({}, {"text": "Zqdrovik"}):
        with pytest.raises(UserError, match="is its first line a header") as told:
            find_columns(row, given)
        assert not any(cell in str(told.value) for cell in row)
    with pytest.raises(UserError, match="there are 'study' and 1 others"):
        find_columns(["study", "Zqdrovik"], {})


def test_a_report_is_kept_by_its_sections_without_names_and_counted(tmp_path: Path) -> None:
    table = tmp_path / "reports.csv"
    table.write_text(
        "Accession;Report\n"
        '123;"HISTORY: Mrs. Zqdrovik, QX5550\nFINDINGS: Anna has a normal LAD.\n'
        'IMPRESSION: Seen on 12.03.2018."\n'
        '123;"FINDINGS: Anna has a normal LAD. IMPRESSION: Seen on 12.03.2018."\n'
        'nobody;"FINDINGS: none."\n'
    )
    reports = read_reports(
        table, STUDIES, ReportSettings(), lambda text: Told([OneFact(text.split()[-1])])
    )
    assert reports.joined.loc["s1", "report"] == "[NAME] has a normal LAD. Seen on [DATE]."
    assert reports.joined.loc["s1", "facts"] == '[{"segment": "[DATE]."}]'
    assert reports.counts["lines"] == 3
    assert reports.counts["joined by accession"] == 2
    assert reports.counts["repeated"] == 1
    assert reports.counts["no_such_study"] == 1
    assert reports.counts["sentences understood"] == 3
    assert {kind: count for kind, count in reports.removed.items() if count} == {
        "name": 1,
        "date": 1,
    }
    assert reports.left["where"].tolist() == ["line 6"]
    assert "text" not in reports.left


def test_blank_reports_are_counted_and_long_ones_cut(tmp_path: Path) -> None:
    table = tmp_path / "reports.csv"
    table.write_text("Accession;Report\n123;  \nA2;" + "mild \U0001f600 " * 15_000)
    reports = read_reports(table, STUDIES, ReportSettings(), None)
    assert reports.counts["no_text"] == 1
    assert reports.counts["cut to 100,000 characters"] == 1
    assert len(str(reports.joined.loc["s2", "report"])) == 100_000


def test_a_table_that_names_no_study_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "reports.csv").write_text("Accession;Report\n999;Normal.\n")
    reports = read_reports(tmp_path / "reports.csv", STUDIES, ReportSettings(), None)
    assert reports.joined.empty
    assert "none of the 1 names a study" in capsys.readouterr().out
