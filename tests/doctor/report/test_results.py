"""The page shows the tables and pictures of any project, and judges a number by all its nulls."""

from pathlib import Path

from cinelex.core.files import write_json
from cinelex.doctor.report.page import write_report
from cinelex.doctor.report.results import result_tables
from cinelex.projects.rows import Picture, Row, Table

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)
NULLS = {"chance": 0.5, "logistic_regression": 0.8}


def rows() -> list[Row]:
    """A number that beats all nulls, one that beats some, one that is lower and better, a level."""
    return [
        Row(label="better than all", value=0.9, low=0.85, high=0.95, nulls=NULLS, better="higher"),
        Row(label="better than some", value=0.7, nulls=NULLS, better="higher"),
        Row(label="lower than all", value=0.1, nulls=NULLS, better="lower"),
        Row(label="a level", value=0.1, nulls=NULLS),
        Row(label="undefined", value=None, nulls={"chance": None}, better="higher"),
    ]


def test_a_number_is_clear_only_where_it_beats_every_null() -> None:
    table = Table(title="t", note="n", rows=rows()).as_json()
    (shown,) = result_tables({"tables": [table]})
    assert [row.clear for row in shown.rows] == [True, False, True, None, None]
    assert shown.rows[0].nulls == (
        ("chance", "0.500"),
        ("logistic regression", "0.800"),
    )
    assert shown.rows[0].interval == "0.850 – 0.950"
    assert shown.rows[4].value == "–"


def test_the_page_holds_titles_escaped_and_pictures_only_from_the_runs_folder(
    tmp_path: Path,
) -> None:
    run = tmp_path / "run"
    (run / "predictions").mkdir(parents=True)
    (run / "predictions" / "curve.png").write_bytes(PNG)
    (tmp_path / "outside.png").write_bytes(PNG)
    pictures = [
        Picture(title="inside", note="seen", path=Path("predictions/curve.png")),
        Picture(title="not there", note="unseen", path=Path("predictions/absent.png")),
        Picture(title="outside", note="unseen", path=Path("../outside.png")),
    ]
    results = {
        "tables": [Table(title="<b>bold</b>", note="n", rows=rows()).as_json()],
        "pictures": [picture.as_json() for picture in pictures],
    }
    write_json(run / "results.json", results)
    page = write_report(run).read_text()
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert page.count("data:image/png") == 1
    assert "No evaluation yet" not in page
    assert "unseen" not in page
