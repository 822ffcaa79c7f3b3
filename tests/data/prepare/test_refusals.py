"""What is refused before anything is read, in one line that names no patient."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cinelex.core.children import ChildLateError
from cinelex.core.errors import UserError
from cinelex.data.prepare.mask_decisions import read_decisions
from tests.data.prepare.exports import decisions, run, write_cine

pytestmark = pytest.mark.usefixtures("by_hand")


@pytest.fixture
def export(tmp_path: Path) -> Path:
    write_cine(tmp_path / "Zqdrovik" / "a")
    return tmp_path / "Zqdrovik"


def test_a_data_set_inside_the_export_is_refused(export: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--out lies in the folder of --dicom"):
        run(export, export / "out")
    with pytest.raises(UserError, match="--dicom lies in the folder of --out"):
        run(export, tmp_path)


def test_a_folder_of_something_else_is_refused(export: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("x")
    with pytest.raises(UserError, match="something else than a data set"):
        run(export, tmp_path / "out")


def test_missing_folders_and_files_are_named_by_their_option(export: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--dicom: no such folder"):
        run(tmp_path / "nowhere", tmp_path / "out")
    with pytest.raises(UserError, match="--reports: no such file"):
        run(export, tmp_path / "out", reports=tmp_path / "nowhere.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Accession;Report\n", "has a header and no report"),
        ("Accession;Report\nQA1777; \n;\n", "has a header and no report"),
        ("Accession;Report\nQA1777;Zqdrovik \0 LAD\n", "line 2, column 'Report': .*control"),
        ("Accession;Report\nQA\0;Normal.\n", "line 2, column 'Accession': .*reports.encoding"),
        ("Accession;Reprot\nQA1777;x\n", r"nearest: 'Reprot'.*reports\.columns\.text="),
    ],
)
def test_a_table_of_reports_is_refused_before_anything_is_read(
    export: Path, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "reports.csv").write_text(text)
    with pytest.raises(UserError, match=message) as refusal:
        run(export, tmp_path / "out", reports=tmp_path / "reports.csv")
    assert "Zqdrovik \0" not in str(refusal.value)
    assert not (tmp_path / "out").exists()


def test_a_folder_without_dicom_is_refused_and_forgotten(export: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "a.dcm").write_text("no DICOM at all")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(UserError, match="holds no file"):
        run(tmp_path / "nothing", tmp_path / "other")
    with pytest.raises(UserError, match="none of its 1 files is DICOM"):
        run(tmp_path / "empty", tmp_path / "out")
    run(export, tmp_path / "out")
    assert decisions(tmp_path / "out") == {"kept": 1}


def test_files_that_are_not_read_in_time_are_not_called_something_else(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(_: object, request: dict[str, Any], **__: object) -> Iterator[dict[str, Any]]:
        if request["items"]:
            raise ChildLateError
        yield {}

    with monkeypatch.context() as patched:
        patched.setattr("cinelex.data.prepare.worker_pool.Child.ask", late)
        with pytest.raises(UserError, match="1 of its 1 files were not read in time"):
            run(export, tmp_path / "out")
    run(export, tmp_path / "out")
    assert decisions(tmp_path / "out") == {"kept": 1}


def test_a_lost_or_another_key_is_refused(export: Path, tmp_path: Path) -> None:
    run(export, tmp_path / "one")
    run(export, tmp_path / "two")
    shutil.copy(tmp_path / "one" / "private" / "key", tmp_path / "two" / "private" / "key")
    with pytest.raises(UserError, match="is not the key"):
        run(export, tmp_path / "two")
    shutil.rmtree(tmp_path / "one" / "private")
    with pytest.raises(UserError, match="is lost"):
        run(export, tmp_path / "one")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("cine,decision\nabc,perhaps\n", "line 2"),
        ("cine,decision\n\nabc,approve\n../x,reject\n", "line 4"),
        ("name,word\n", "line 1"),
    ],
)
def test_decisions_that_are_none_are_refused_by_line(
    export: Path, tmp_path: Path, text: str, line: str
) -> None:
    (tmp_path / "decisions.csv").write_text(text)
    with pytest.raises(UserError, match=line):
        read_decisions(tmp_path / "decisions.csv")
