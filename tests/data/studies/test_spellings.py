"""What is written in two ways and means the same: accents, marks without width, paths."""

from pathlib import Path
from unicodedata import normalize

import pytest

from cinelex.core.errors import UserError
from cinelex.data.studies.manifest import load_manifest
from cinelex.data.studies.presence import missing_videos, where_others_are, where_they_are
from cinelex.data.studies.study import split_name

HEADER = "study_id,video_path,report,split\n"


def test_accents_and_invisible_marks_contradict_nothing(tmp_path: Path) -> None:
    path = tmp_path / "studies.csv"
    composed, apart = normalize("NFC", "Sténose é"), normalize("NFD", "Sténose é")
    path.write_text(
        f"{HEADER}é,a.mp4,{composed},train\n"
        f"{normalize('NFD', 'é')},b.mp4,{apart},train\u200b\n"
        f"\ufeffé,c.mp4,{composed},\u00a0train\n"
    )
    studies = load_manifest(path).studies
    assert studies.ids == ["é"]
    assert studies.video_counts.tolist() == [3]
    assert studies.table["report"].to_pylist() == [composed]


@pytest.mark.parametrize(("one", "other"), [("007", "7"), ("7", "7.0"), ("0", "00")])
def test_one_number_written_in_two_ways_is_refused_and_not_two_studies(
    tmp_path: Path, one: str, other: str
) -> None:
    path = tmp_path / "studies.csv"
    path.write_text(f"{HEADER}{one},a.mp4,r,train\nx,b.mp4,r,train\n{other},c.mp4,r,train\n")
    with pytest.raises(UserError, match="line 4, column 'study_id': .* written otherwise"):
        load_manifest(path)


def test_ids_are_text_zeros_and_all(tmp_path: Path) -> None:
    path = tmp_path / "studies.csv"
    path.write_text(f"{HEADER}007,a.mp4,r,train\n8.0,b.mp4,r,train\n70,c.mp4,r,train\n")
    assert load_manifest(path).studies.ids == ["007", "8.0", "70"]


@pytest.mark.parametrize(
    ("written", "there", "said"),
    [
        ("a%20b.mp4", "a b.mp4", "%20"),
        ("'a.mp4'", "a.mp4", "no quotes around"),
        ("Cines/A.MP4", "cines/a.mp4", "capitals"),
        (normalize("NFC", "é.mp4"), normalize("NFD", "é.mp4"), "Unicode NFD"),
    ],
)
def test_how_the_path_should_be_written_is_said(
    tmp_path: Path, written: str, there: str, said: str
) -> None:
    path = tmp_path / "studies.csv"
    for name in (there, "sound.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    path.write_text(f"{HEADER}1,{written},r,train\n")
    assert said in where_they_are(load_manifest(path).studies, beside=tmp_path)
    path.write_text(f"{HEADER}1,sound.mp4,r,train\n2,{written},r,train\n")
    studies = load_manifest(path).studies
    assert said in where_others_are(studies, missing_videos(studies))


def test_other_words_for_splits_are_the_usual_ones() -> None:
    assert [split_name(name) for name in ("Development", " testing", "TRAINING")] == [
        *("val", "test", "train")
    ]
