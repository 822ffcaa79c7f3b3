"""What becomes of the cines of a study."""

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinelex.core.errors import UserError
from cinelex.data.prepare import child, decoding, road
from cinelex.data.prepare.card import BURNED_IN
from cinelex.data.prepare.child import content_of
from cinelex.data.prepare.places import Places
from cinelex.data.video.frame_store import FrameStore
from tests.data.prepare.exports import (
    SURE,
    UNSURE,
    decisions,
    moving,
    run,
    tables,
    write_cine,
    write_decisions,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("by_hand")]


def test_cines_of_a_study_stand_in_the_order_that_they_were_taken_in(tmp_path: Path) -> None:
    for scene, number in enumerate((10, 1, 2)):
        write_cine(
            tmp_path / "export" / str(scene),
            scene=scene,
            SeriesNumber=1,
            InstanceNumber=number,
            PositionerPrimaryAngle=float(number),
            PositionerSecondaryAngle=0.0,
        )
    run(tmp_path / "export", tmp_path / "out")
    assert tables(tmp_path / "out")[1]["primary_angle"].tolist() == [1, 2, 10]


def test_equal_names_in_two_folders_are_two_cines(tmp_path: Path) -> None:
    for study in ("1", "2"):
        write_cine(tmp_path / "export" / study / "IM1", study=study, scene=int(study))
    run(tmp_path / "export", tmp_path / "out")
    assert decisions(tmp_path / "out") == {"kept": 2}


def test_the_same_frames_in_other_bytes_are_one_cine_of_a_study(tmp_path: Path) -> None:
    write_cine(tmp_path / "export" / "a", scene=1)
    write_cine(tmp_path / "export" / "b", scene=1, ImageComments="exported again")
    run(tmp_path / "export", tmp_path / "out")
    assert sorted(tables(tmp_path / "out")[0]["why"]) == ["", "same_frames"]


def test_a_cine_of_another_patient_leaves_the_study(tmp_path: Path) -> None:
    write_cine(tmp_path / "export" / "a", scene=1)
    write_cine(tmp_path / "export" / "b", scene=2, patient="P2")
    run(tmp_path / "export", tmp_path / "out")
    assert sorted(tables(tmp_path / "out")[0]["why"]) == ["", "other_patient"]


def test_a_cine_that_names_no_patient_is_of_the_one_whom_its_study_names(tmp_path: Path) -> None:
    write_cine(tmp_path / "export" / "a", scene=1, PatientID="", PatientName="")
    write_cine(tmp_path / "export" / "b", scene=2)
    run(tmp_path / "export", tmp_path / "out")
    assert decisions(tmp_path / "out") == {"kept": 2}
    assert tables(tmp_path / "out")[1]["patient_id"].nunique() == 1


def test_studies_that_lose_every_cine_are_counted_on_the_card(tmp_path: Path) -> None:
    write_cine(tmp_path / "export" / "a", scene=1)
    cut = write_cine(tmp_path / "export" / "b", study="2", scene=2)
    cut.write_bytes(cut.read_bytes()[:-1000])
    run(tmp_path / "export", tmp_path / "out")
    card = (tmp_path / "out" / "card.md").read_text()
    assert "| studies | 1 |" in card
    assert "| studies of which no cine is kept | 1 |" in card


def test_a_header_that_tells_of_burned_in_names_is_said_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_cine(tmp_path / "export" / "a", scene=1, BurnedInAnnotation="YES")
    write_cine(tmp_path / "export" / "b", scene=2, BurnedInAnnotation="NO")
    run(tmp_path / "export", tmp_path / "out")
    assert "the headers of 1 cines that are kept say that names" in capsys.readouterr().out
    assert f"| {BURNED_IN} | 1 |" in (tmp_path / "out" / "card.md").read_text()
    assert tables(tmp_path / "out")[0]["burned_in"].sum() == 1


def test_a_cine_shorter_than_a_clip_is_kept_with_its_frames_counted(tmp_path: Path) -> None:
    short = moving(1)[:2]
    write_cine(tmp_path / "export" / "a", NumberOfFrames=2, PixelData=short.tobytes())
    run(tmp_path / "export", tmp_path / "out")
    assert tables(tmp_path / "out")[1]["frames"].tolist() == [2]


def test_a_disk_that_fails_is_asked_again_and_then_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fails = [True, True, True, True, False]  # thrice in the first run, once in the second

    def failing(path: Path, salt: str) -> str:
        if path.name == "a" and fails.pop(0):
            raise OSError(errno.EIO, "Zqdrovik")
        return content_of(path, salt)

    monkeypatch.setattr(child, "content_of", failing)
    monkeypatch.setattr(child, "WAITS_S", (0.0, 0.0))
    write_cine(tmp_path / "export" / "a", scene=1)
    write_cine(tmp_path / "export" / "b", scene=2)
    run(tmp_path / "export", tmp_path / "out")
    assert sorted(tables(tmp_path / "out")[0]["why"]) == ["", "not_decoded"]
    assert "not read: 1 files that their disk or network refuses" in capsys.readouterr().out
    run(tmp_path / "export", tmp_path / "out")
    assert decisions(tmp_path / "out") == {"kept": 2}


def test_a_file_that_went_between_two_stages_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for scene in (1, 2):
        write_cine(tmp_path / "export" / str(scene), scene=scene)

    def going(places: Places, *rest: Any, **further: Any) -> int:
        (tmp_path / "export" / "1").unlink()
        return decoding.decode_new(places, *rest, **further)

    monkeypatch.setattr(road, "decode_new", going)
    run(tmp_path / "export", tmp_path / "out")
    assert sorted(tables(tmp_path / "out")[0]["why"]) == ["", "not_decoded"]


def test_an_export_without_a_cine_ends_with_the_reasons(tmp_path: Path) -> None:
    still = moving(1)[:1]
    write_cine(tmp_path / "export" / "a", NumberOfFrames=1, PixelData=still.tobytes())
    with pytest.raises(UserError, match=r"no cine is left of 1 files \(one_frame: 1\)"):
        run(tmp_path / "export", tmp_path / "out")
    assert decisions(tmp_path / "out") == {"dropped": 1}


def test_a_mask_waits_is_approved_and_only_then_stored(tmp_path: Path) -> None:
    export, out = tmp_path / "export", tmp_path / "out"
    for scene in range(3):
        write_cine(export / str(scene), scene=scene)
    run(export, out, UNSURE)
    assert decisions(out) == {"pending": 3}
    assert len(FrameStore(out / "store")) == 0
    cines = tables(out)[0]["cine"].tolist()
    assert all(cine in (out / "review.html").read_text() for cine in cines)
    write_decisions(out, "approve", cines[:1])
    with (out / "decisions.csv").open("a") as stream:
        stream.write(f"{cines[1]},reject\n")
    run(export, out, UNSURE)
    assert decisions(out) == {"kept": 1, "dropped": 1, "pending": 1}
    assert tables(out)[1]["video_path"].tolist() == [f"store:{cines[0]}"]
    assert len(FrameStore(out / "store")) == 1
    run(export, out)  # now every mask is certain enough, and a rejected one stays rejected
    assert decisions(out) == {"kept": 2, "dropped": 1}
    assert len(FrameStore(out / "store")) == 2


def test_frames_of_an_approved_cine_that_is_rejected_later_leave_the_disk(tmp_path: Path) -> None:
    export, out = tmp_path / "export", tmp_path / "out"
    for scene in range(3):
        write_cine(export / str(scene), scene=scene)
    run(export, out, UNSURE)
    cines = tables(out)[0]["cine"].tolist()
    write_decisions(out, "approve", cines)
    run(export, out, UNSURE)
    before = {cine: FrameStore(out / "store").frames(cine).copy() for cine in cines}
    shards = set((out / "store").glob("frames-*"))
    with (out / "decisions.csv").open("a") as stream:
        stream.write(f"{cines[1]},reject\n")
    run(export, out, UNSURE)
    assert decisions(out) == {"kept": 2, "dropped": 1}
    assert f"store:{cines[1]}" not in tables(out)[1]["video_path"].tolist()
    store = FrameStore(out / "store")
    assert sorted(store.keys.to_pylist()) == sorted([cines[0], cines[2]])
    for cine in (cines[0], cines[2]):
        np.testing.assert_array_equal(store.frames(cine), before[cine])
    assert store.verify() == []
    assert not shards & set((out / "store").iterdir())  # what held its frames is gone
    index = b"".join(path.read_bytes() for path in (out / "store").glob("index-*"))
    assert cines[1].encode() not in index
    write_decisions(out, "approve", cines)  # a person thinks again
    run(export, out, UNSURE)
    np.testing.assert_array_equal(FrameStore(out / "store").frames(cines[1]), before[cines[1]])


def test_a_limit_that_is_raised_takes_back_what_is_not_certain_any_more(tmp_path: Path) -> None:
    write_cine(tmp_path / "export" / "a")
    run(tmp_path / "export", tmp_path / "out")
    run(tmp_path / "export", tmp_path / "out", UNSURE)
    assert decisions(tmp_path / "out") == {"pending": 1}
    assert len(FrameStore(tmp_path / "out" / "store")) == 0


def test_a_limit_that_is_lowered_stores_what_waited(tmp_path: Path) -> None:
    write_cine(tmp_path / "export" / "a")
    run(tmp_path / "export", tmp_path / "out", UNSURE)
    run(tmp_path / "export", tmp_path / "out", replace(SURE, workers=2))
    assert decisions(tmp_path / "out") == {"kept": 1}
