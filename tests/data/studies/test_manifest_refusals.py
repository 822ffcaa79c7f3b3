"""Manifest files that are refused, and where they are wrong."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.fuzz_manifests import fuzz
from cinelex.core.errors import UserError
from cinelex.data.studies.manifest import load_manifest
from cinelex.data.studies.presence import missing_videos
from tests.data.studies.manifests import HEADER, PATIENTS, SECRET, load

REFUSED = {
    "study without id": (
        "a,1.mp4,x,train\n,2.mp4,x,train\n",
        "line 3, column 'study_id': is empty",
    ),
    "no split": ("a,1.mp4,x,\n", "line 2, column 'split': is empty"),
    "two splits": (
        'a,1.mp4,"x\ny",train\na,2.mp4,,test\n',
        "line 4, column 'split': the same study is in another split at line 2",
    ),
    "two reports": (
        f"a,1.mp4,{SECRET},train\n\na,2.mp4,{SECRET}S,train\n",
        "line 4, column 'report': the same study has another report at line 2",
    ),
    "a video twice": ("a,1.mp4,x,train\na,1.mp4,x,train\n", "line 3, column 'video_path'"),
    "a video in two splits": (
        "a,1.mp4,x,train\nb,1.mp4,y,test\n",
        "line 3, column 'video_path': an earlier row has it in another split",
    ),
    "too few cells": (f"a,1.mp4,{SECRET},train\na,2.mp4\n", "line 3 has 2 cells where the header"),
    "trailing comma": (f"a,1.mp4,{SECRET},train,\n", "line 2 has 5 cells where the header has 4"),
    "open quote": (f'a,1.mp4,"{SECRET},train\nb,2.mp4,x,train\n', "quote that opens at line 2"),
    "open quote in the last cell": ('a,1.mp4,x,"train\nb,2.mp4,x,train\n', "opens at line 2"),
    "NUL in a report": ("a,1.mp4,x\0y,train\n", "line 2, column 'report': holds a control"),
    "NUL in an id": ("a\0,1.mp4,x,train\n", "line 2, column 'study_id': holds a control"),
    "URL": ("a,http://x/y.mp4,x,train\n", "line 2, column 'video_path': the path is a URL"),
    "protocol": ("a,concat:a|b,x,train\n", "line 2, column 'video_path': the path is a URL or"),
    "option": ("a,-i,x,train\n", "line 2, column 'video_path': the path starts with a dash"),
    "line break": ('a,"1\n.mp4",x,train\n', "line 2, column 'video_path': the path holds a line"),
    "shell": ("a,$(rm),x,train\n", "line 2, column 'video_path': the path holds shell syntax"),
    "climbing": ("a,../../etc/passwd,x,train\n", "line 2, column 'video_path': the path leads out"),
    "climbing inside": ("a,x/../../y,x,train\n", "line 2, column 'video_path': the path leads out"),
    "absolute": ("a,/etc/passwd,x,train\n", "line 2, column 'video_path': the path is absolute"),
}


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.parquet").write_text(HEADER)
    with pytest.raises(UserError, match="not a Parquet file"):
        load_manifest(tmp_path / "m.parquet")


@pytest.mark.parametrize("case", REFUSED)
def test_bad_rows_are_refused_by_line_and_column(tmp_path: Path, case: str) -> None:
    rows, message = REFUSED[case]
    with pytest.raises(UserError) as caught:
        load(tmp_path, HEADER + rows)
    text = str(caught.value)
    assert message in text
    assert "\n" not in text
    assert "CANARY" not in text
    assert "passwd" not in text


def test_a_patient_in_two_splits_is_refused(tmp_path: Path) -> None:
    text = "study_id,video_path,report,split,patient,noise\na,1,x,train,ann,\nb,2,y,test,ann,\n"
    with pytest.raises(UserError, match="line 3, column 'patient': the same patient is in another"):
        load(tmp_path, text, PATIENTS)


@pytest.mark.parametrize("noise", ["much", "-1", "nan", "inf"])
def test_noise_must_be_a_number(tmp_path: Path, noise: str) -> None:
    text = f"study_id,video_path,report,split,patient,noise\na,1,x,train,ann,{noise}\n"
    with pytest.raises(UserError, match="line 2, column 'noise': expected a number"):
        load(tmp_path, text, PATIENTS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("\n \n", "the file is empty"),
        ("study_id,video_path,report\na,1,x\n", "no column 'split'; the file has 'study_id'"),
        ("study_id,report,report,split,video_path\na,b,c,d,e\n", "column 'report' is there twice"),
        (HEADER, "has a header and no row"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load(tmp_path, text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent\.csv: no such file"):
        load_manifest(tmp_path / "absent.csv")


def test_a_missing_split_lists_the_others(tmp_path: Path) -> None:
    manifest = load(tmp_path, HEADER + "a,1.mp4,x,train\nb,2.mp4,x,test\n")
    with pytest.raises(UserError, match=r"'val'; there are train \(1\), test \(1\)"):
        manifest.split("val")


def test_links_that_lead_out_are_refused(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    (outside / "sub").mkdir(parents=True)
    (root / "own").mkdir(parents=True)
    (root / "own" / "in.mp4").touch()
    (root / "in.mp4").symlink_to(root / "own" / "in.mp4")
    (root / "out.mp4").symlink_to(outside / "secret.mp4")
    (root / "folder").symlink_to(outside / "sub")
    assert len(load(root, HEADER + "a,in.mp4,x,train\nb,own/in.mp4,x,train\n").studies) == 2
    for name in ("out.mp4", "folder/1.mp4"):
        with pytest.raises(UserError, match="line 3, column 'video_path': the path is a link"):
            load(root, HEADER + f"a,in.mp4,x,train\nb,{name},x,train\n")
    (outside / "secret.mp4").touch()
    (outside / "sub" / "1.mp4").touch()
    text = HEADER + "a,out.mp4,x,train\nb,folder/1.mp4,x,train\n"
    followed = load(root, text, links_out=True).studies
    assert not missing_videos(followed).any()


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.binary(max_size=80) | st.text('a1,"\n\r\0.', max_size=60).map(str.encode))
def test_any_bytes_are_parsed_or_refused_in_one_line(tmp_path: Path, rows: bytes) -> None:
    try:
        manifest = load(tmp_path, HEADER.encode() + rows)
    except UserError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert all(study.id and study.videos and study.report for study in manifest.studies)


def test_made_up_manifests_are_read_or_refused_without_a_word_of_what_they_hold(
    tmp_path: Path,
) -> None:
    seen = fuzz(tmp_path, count=150)
    assert min(seen["read"], seen["refused"]) > 0
