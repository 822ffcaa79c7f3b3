"""What can be known of a manifest before a video is decoded."""

from pathlib import Path

import pytest

from cinelex.config.load import load_config
from cinelex.config.schema import RunConfig
from cinelex.core.errors import UserError
from cinelex.projects.studies.manifests import check_manifest, columns_of, read_manifest
from tests.tiny_run import MULTITASK

STUDIES = 8


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """Return a folder with ``set/videos/view N.mp4``."""
    folder = tmp_path / "set" / "videos"
    folder.mkdir(parents=True)
    for number in range(STUDIES):
        (folder / f"view {number}.mp4").touch()
    return tmp_path / "set"


def write(folder: Path, form: str, splits: str = "ttttttve") -> Path:
    names = {"t": "train", "v": "val", "e": "test"}
    rows = [f"s{n},{form.format(n)},report,{names[split]}\n" for n, split in enumerate(splits)]
    path = folder / "m.csv"
    path.write_text("study_id,video_path,report,split\n" + "".join(rows))
    return path


def check(path: Path, *values: str) -> None:
    batch = [] if any(value.startswith("batch=") for value in values) else ["batch=2"]
    config: RunConfig = load_config(MULTITASK, [f"data.manifest={path}", *batch, *values])
    manifest = read_manifest(config.data, path, columns_of(config.data))
    check_manifest(config, manifest, output=path.parent / "run")


def test_a_sound_manifest_passes(videos: Path) -> None:
    check(write(videos, "videos/view {}.mp4"))


@pytest.mark.parametrize(
    ("form", "remedy"),
    [
        (r"videos\view {}.mp4", r"with / for \ in the column"),
        (r"C:\data\videos\view {}.mp4", "no drive or '~' before the paths and the first folder"),
        ("~/videos/view {}.mp4", "with no drive or '~' before the paths"),
        ("videos/view {}", "with the ending .mp4 written in the column"),
        ("view {}.mp4", "with data.video_root={set}/videos"),
        ("set/videos/view {}.mp4", "with data.video_root={above}"),
        ("old/place/videos/view {}.mp4", "with the first 2 folders of the paths left out"),
    ],
)
def test_where_no_video_is_found_the_remedy_is_named(videos: Path, form: str, remedy: str) -> None:
    with pytest.raises(UserError) as caught:
        check(write(videos, form))
    text = str(caught.value)
    assert f"none of 8 files is below {videos}" in text
    assert remedy.format(set=videos, above=videos.parent) in text
    assert "the first is found" in text
    assert "limit" not in text
    assert "view 0" not in text


def test_a_wrong_root_is_told_the_manifests_folder(videos: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    path = write(videos, "videos/view {}.mp4")
    with pytest.raises(UserError, match=f"with data.video_root={videos} the first is found"):
        check(path, f"data.video_root={tmp_path / 'other'}")


def test_all_problems_are_told_at_once(videos: Path, tmp_path: Path) -> None:
    path = write(videos, "videos/none {}.mp4", splits="tttttttt")
    with pytest.raises(UserError) as caught:
        check(path, "data.validation_split=dev2")
    text = str(caught.value)
    assert "no study is in split 'dev2' (data.validation_split); there are train (8)" in text
    assert "no study is in split 'test' (data.test_split)" in text
    assert "none of 8 files" in text
    assert "\n" not in text


def test_split_names_are_compared_as_the_manifest_spells_them(videos: Path) -> None:
    path = write(videos, "videos/view {}.mp4")
    text = path.read_text().replace(",train\n", ", Train\n").replace(",val\n", ",Valid \n")
    path.write_text(text)
    check(path, "data.train_split=TRAIN", "data.validation_split=valid")


def test_missing_videos_above_the_limit_are_listed_before_anything_is_decoded(
    videos: Path,
) -> None:
    path = write(videos, "videos/view {}.mp4")
    (videos / "videos" / "view 3.mp4").unlink()
    check(path, "data.reject_limit=0.2")
    with pytest.raises(UserError, match=r"1 of 8 videos were refused \(1 VideoMissing\)"):
        check(path)
    rejects = (videos / "run" / "rejects.csv").read_text().splitlines()
    assert rejects == ["study_id,video,error", "s3,videos/view 3.mp4,VideoMissing"]


def test_a_manifest_without_splits_is_split_by_a_key_that_the_message_names(videos: Path) -> None:
    path = write(videos, "videos/view {}.mp4")
    lines = [line.rpartition(",")[0] for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines))
    with pytest.raises(UserError, match=r"no column 'split'.* data\.split_by_patient=\{train: 0.8"):
        check(path)
    check(path, "data.split_by_patient={train: 0.5, val: 0.25, test: 0.25, salt: 0}")
