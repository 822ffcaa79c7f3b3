"""What became of every file, study and report, in words that may leave a site."""

from collections import Counter
from pathlib import Path

from cinelex.data.prepare.flow import WAITS, flow_of
from tests.data.prepare.exports import SURE, UNSURE, run, small_export, write_cine


def test_every_file_report_and_study_is_counted_and_nothing_is_quoted(tmp_path: Path) -> None:
    dicom = small_export(tmp_path / "Zq-export")
    write_cine(dicom / "still.dcm", study="77", NumberOfFrames=1)
    texts = ["QA0777,Normal.", "QA1777,90% stenosis of the mid LAD.", "Zqother,Normal.", "QA2777,"]
    reports = tmp_path / "reports.csv"
    reports.write_text("\n".join(["accession,report", *texts]))
    run(dicom, tmp_path / "out", SURE, reports=reports)
    rows = flow_of(tmp_path / "out")
    assert {(row["of"], row["became"]): row["count"] for row in rows} == {
        ("files", "kept: a cine"): 12,
        ("files", "a single frame"): 1,
        ("files", "not a DICOM file"): 1,
        ("files", "the same bytes as another file"): 1,
        ("reports", "joined with a study"): 2,
        ("reports", "left out: of no study with a cine"): 1,
        ("reports", "left out: no text"): 1,
        ("studies", "left out: without a cine"): 1,
    }
    assert "Zq" not in str(rows)
    run(dicom, tmp_path / "unsure", UNSURE)
    told = Counter({row["became"]: row["count"] for row in flow_of(tmp_path / "unsure")})
    assert (told[WAITS], told["left out: their cines wait for a person"]) == (12, 6)
