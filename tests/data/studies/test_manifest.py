"""Manifest files: what is read, what is dropped and counted, what is refused and where."""

import csv
import io
import unicodedata
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cinelex.core.errors import UserError
from cinelex.data.studies.manifest import load_manifest
from cinelex.data.studies.rows import NOTHING
from cinelex.data.studies.study import Columns
from tests.data.studies.manifests import HEADER, PATIENTS, SECRET, load


def test_rows_of_a_study_are_joined_in_order(tmp_path: Path) -> None:
    text = HEADER + "b,1.mp4,two,train\na,2.mp4,one,Validation\nb,3.mp4,,train\n"
    manifest = load(tmp_path, text)
    first, second = manifest.studies
    assert (first.id, first.report, first.split) == ("b", "two", "train")
    assert first.videos == (tmp_path / "1.mp4", tmp_path / "3.mp4")
    assert first.patient_id == "b"
    assert first.noise_mse is None
    assert (second.id, second.split) == ("a", "val")
    assert manifest.splits() == {"train": 1, "val": 1}
    assert list(manifest.split("val")) == list(manifest.split("Validation")) == [second]


def test_patient_noise_and_further_columns_are_read(tmp_path: Path) -> None:
    columns = Columns(
        study="s", video="v", report="r", split="x", patient="p", noise_mse="n", extra=("age",)
    )
    text = "s,v,r,x,p,n,age\na,1.mp4,hi,train,ann,0.25,50\na,2.mp4,,train,,0.75,\n"
    study = load(tmp_path, text, columns).studies[0]
    assert study.patient_id == "ann"
    assert study.noise_mse == 0.5
    assert study.extra == {"age": "50"}


def test_a_video_may_have_no_noise(tmp_path: Path) -> None:
    text = "study_id,video_path,report,split,patient,noise\na,1.mp4,x,train,ann,0\n"
    assert load(tmp_path, text, PATIENTS).studies[0].noise_mse == 0.0


def test_drops_are_counted(tmp_path: Path) -> None:
    text = HEADER + 'a,1.mp4,NaN,train\nb,2.mp4,"  \n",train\nc,,words,train\nd,4.mp4,words,train\n'
    manifest = load(tmp_path, text)
    assert [study.id for study in manifest.studies] == ["d"]
    assert manifest.dropped == {"no_video": 1, "empty_report": 2}
    kept = load(tmp_path, text, require_reports=False)
    assert [study.id for study in kept.studies] == ["a", "b", "d"]


def test_nothing_left_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no study is left of 1 rows"):
        load(tmp_path, HEADER + "a,1.mp4,,train\n")


def test_long_reports_are_cut_and_counted(tmp_path: Path) -> None:
    manifest = load(tmp_path, HEADER + f"a,1.mp4,{'x' * 100_050},train\n")
    assert manifest.studies[0].report == "x" * 100_000
    assert manifest.reports_cut == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_and_line_ends(tmp_path: Path, encoding: str, end: str) -> None:
    text = HEADER + "a,1.mp4,caf\u00e9 50 %,train\n\nb,2.mp4,x,train"
    manifest = load(tmp_path, text.replace("\n", end).encode(encoding))
    assert [study.report for study in manifest.studies] == ["caf\u00e9 50 %", "x"]


def test_quoted_cells_hold_anything(tmp_path: Path) -> None:
    report = 'He said: "50 %,\n\nno more"; \u03b1'
    cell = '"' + report.replace('"', '""') + '"'
    manifest = load(tmp_path, HEADER + f"a,1.mp4,{cell},train\nb,2.mp4,x,train\n")
    assert manifest.studies[0].report == report


def test_a_cell_of_ten_megabytes_is_read(tmp_path: Path) -> None:
    text = HEADER + f"a,1.mp4,{'word ' * 2_000_000},train\nb,2.mp4,x,train\n"
    manifest = load(tmp_path, text)
    assert len(manifest.studies[0].report) == 100_000
    assert manifest.studies[1].report == "x"


def test_separators_may_be_any_text(tmp_path: Path) -> None:
    text = (HEADER + "a,1.mp4,x\u00e9,train\n").replace(",", "\u03b1")
    assert load(tmp_path, text, separator="\u03b1").studies[0].report == "x\u00e9"
    text = (HEADER + "a,1.mp4,x,train\n").replace(",", "\t")
    assert load(tmp_path, text, separator="\t").studies[0].report == "x"


def test_parquet_is_read_like_csv(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"study_id": [7, 7], "video_path": ["1.mp4", "2.mp4"], "report": ["x", None]}
    )
    frame.assign(split="train").to_parquet(tmp_path / "m.parquet")
    study = load_manifest(tmp_path / "m.parquet").studies[0]
    assert (study.id, study.report, len(study.videos)) == ("7", "x", 2)
    frame.assign(split=["train", ""]).to_parquet(tmp_path / "m.parquet")
    with pytest.raises(UserError, match="row 2, column 'split': is empty"):
        load_manifest(tmp_path / "m.parquet")


def test_absolute_paths_below_the_root_are_accepted(tmp_path: Path) -> None:
    manifest = load(tmp_path, HEADER + f"a,{tmp_path}/x/1.mp4,x,train\n")
    assert manifest.studies[0].videos == (tmp_path / "x" / "1.mp4",)


def test_the_hash_follows_the_content_and_the_way_it_is_read(tmp_path: Path) -> None:
    text = HEADER + "a,1.mp4,x,train\n"
    first = load(tmp_path, text).hash
    assert load(tmp_path, text).hash == first
    assert load(tmp_path, text.replace(",", ";"), separator=";").hash != first
    assert load(tmp_path, text.replace("x", "z")).hash != first


def test_a_study_never_shows_its_report(tmp_path: Path) -> None:
    manifest = load(tmp_path, HEADER + f"a,1.mp4,{SECRET},train\n")
    assert "CANARY" not in repr(manifest)


CELL = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cf"], include_characters="\n\t"), max_size=30
).filter(lambda text: text.strip() not in ("", *NOTHING.to_pylist()))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(reports=st.lists(CELL, min_size=1, max_size=6), separator=st.sampled_from(",;\t|\u03b1"))
def test_whatever_a_csv_writer_writes_is_read_back(
    tmp_path: Path, reports: list[str], separator: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerow(("study_id", "video_path", "report", "split"))
    writer.writerows((f"s{i}", f"{i}.mp4", report, "train") for i, report in enumerate(reports))
    manifest = load(tmp_path, text.getvalue(), separator=separator)
    composed = [unicodedata.normalize("NFC", report.strip()) for report in reports]
    assert [study.report for study in manifest.studies] == composed


def test_the_exercise_set_is_read(real_data: Path) -> None:
    manifest = load_manifest(real_data / "everkinetic" / "manifest.csv")
    assert manifest.splits() == {"train": 189, "test": 80}
    assert manifest.dropped == {"no_video": 0, "empty_report": 0}
    assert all(study.videos[0].exists() for study in manifest.studies)
