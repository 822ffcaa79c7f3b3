"""Studies as one table: chosen, split, grouped and looked at."""

from pathlib import Path

import numpy as np
import pytest

from cinelex.data.studies.splits import Shares, split_by_patient, split_names_text
from cinelex.data.studies.study import Columns
from cinelex.data.studies.tokens import encoded_reports
from cinelex.data.text.tokenizer import train_tokenizer
from tests.data.studies.manifests import HEADER, load

VIEWS = (
    "study_id,video_path,report,split,patient_id,view,primary_angle,secondary_angle,age\n"
    "a,1.mp4,one,train,p,LAO cranial,40,25.5,70\n"
    "b,2.mp4,two,train,q,,,,\n"
    "a,3.mp4,,train,,RAO,-30,,71\n"
)


def test_rows_of_a_study_need_not_stand_together(tmp_path: Path) -> None:
    studies = load(tmp_path, VIEWS).studies
    assert [study.id for study in studies] == studies.ids == ["a", "b"]
    assert studies[0].videos == (tmp_path / "1.mp4", tmp_path / "3.mp4")
    assert studies[-1].videos == (tmp_path / "2.mp4",)
    assert studies.video_names.to_pylist() == ["1.mp4", "3.mp4", "2.mp4"]
    assert studies.video_owner.tolist() == [0, 0, 1]
    with pytest.raises(IndexError):
        studies[2]


def test_views_angles_patients_and_subgroups_are_found_by_their_usual_names(tmp_path: Path) -> None:
    studies = load(tmp_path, VIEWS, Columns(extra=("age",))).studies
    first, second = studies
    assert first.views == ("lao cranial", "rao")
    assert first.angles == ((40.0, 25.5), (-30.0, None))
    assert (first.patient_id, first.extra) == ("p", {"age": "70"})
    assert second.views == ("",)
    assert studies.view_names() == ["lao cranial", "rao"]
    assert studies.extra() == {"age": ["70", ""]}


def test_chosen_studies_keep_all_that_is_theirs(tmp_path: Path) -> None:
    studies = load(tmp_path, VIEWS).studies
    assert list(studies.take([1, 0])) == [studies[1], studies[0]]
    assert list(studies[1:]) == [studies[1]]
    left = studies.with_videos(np.array([False, True, False]))
    assert [study.videos for study in left] == [(tmp_path / "3.mp4",)]
    assert left[0].views == ("rao",)
    assert left[0].angles == ((-30.0, None),)


def test_reports_that_differ_by_blanks_are_one_group_numbered_by_appearance(tmp_path: Path) -> None:
    rows = 'a,1,two,train\nb,2,"on\ne",train\nc,3,two,test\nd,4,on  e,train\ne,5,x,train\n'
    studies = load(tmp_path, HEADER + rows).studies
    assert studies.report_groups().tolist() == [0, 1, 0, 1, 2]
    assert studies.of_split("train").report_groups().tolist() == [0, 1, 1, 2]


@pytest.mark.parametrize("other", ['"one\r\nreport"', '"one report "', '" one  report"'])
def test_two_rows_whose_reports_differ_by_blanks_are_one_study(tmp_path: Path, other: str) -> None:
    manifest = load(tmp_path, HEADER + f'a,1.mp4,"one\nreport",train\na,2.mp4,{other},train\n')
    assert manifest.studies[0].report == "one\nreport"


def test_a_split_by_patient_follows_from_the_patient_alone(tmp_path: Path) -> None:
    def splits(people: int) -> dict[str, str]:
        rows = [f"s{i},{i}.mp4,x,p{i // 2}\n" for i in range(2 * people)]
        text = "study_id,video_path,report,patient_id\n" + "".join(rows)
        shares = Shares(train=0.6, val=0.2, test=0.2)
        studies = load(tmp_path, text, shares=shares).studies
        patients = {(study.patient_id, study.split) for study in studies}
        assert len(patients) == people
        return {study.id: study.split for study in studies}

    few, many = splits(100), splits(400)
    assert few == {study: split for study, split in many.items() if study in few}
    counts = [list(many.values()).count(name) / 800 for name in ("train", "val", "test")]
    assert counts == pytest.approx([0.6, 0.2, 0.2], abs=0.06)


def test_another_salt_is_another_split(tmp_path: Path) -> None:
    rows = "".join(f"s{i},{i}.mp4,x,train\n" for i in range(50))
    studies = load(tmp_path, HEADER + rows).studies
    one, two = (
        split_by_patient(studies, Shares(train=0.5, val=0.25, test=0.25, salt=salt))
        for salt in (0, 1)
    )
    assert one.table["split"].to_pylist() != two.table["split"].to_pylist()


def test_splits_are_named_in_messages_but_names_of_people_are_not() -> None:
    splits = {"train": 40, "fold 3": 2, "site_b": 5, "john doe": 1, "trian": 1}
    text = split_names_text(splits, wanted="train")
    assert text.startswith("train (40), fold 3 (2), site_b (5), trian (1), 1 other names")


def test_reports_are_encoded_once_and_then_read_from_the_cache(tmp_path: Path) -> None:
    rows = "a,1,left main,train\nb,2,left,train\nc,3,left main,test\n"
    studies = load(tmp_path, HEADER + rows).studies
    tokenizer = train_tokenizer(studies.reports, vocab_size=600, max_tokens=8)
    first = encoded_reports(studies, tokenizer, cache=tmp_path / "tokens", identity="1")
    assert [ids.tolist() for ids in first] == [tokenizer.encode(text) for text in studies.reports]
    shorter = train_tokenizer(studies.reports, vocab_size=600, max_tokens=3)
    kept = encoded_reports(studies, shorter, cache=tmp_path / "tokens", identity="1")
    assert [ids.tolist() for ids in kept] == [ids.tolist() for ids in first]
    anew = encoded_reports(studies, shorter, cache=tmp_path / "tokens", identity="2")
    assert [len(ids) for ids in anew] == [3, 3, 3]
