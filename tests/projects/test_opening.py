"""What is read when the data of a run are opened."""

from collections import Counter
from pathlib import Path

import pytest

from cinelex.config.load import load_config
from cinelex.core.files import hash_file
from cinelex.data.studies import manifest
from cinelex.data.video.frame_store import FrameStore
from cinelex.projects import open_project
from cinelex.projects.studies.data import open_study_data
from tests.tiny_run import CLIPSE, MULTITASK

pytestmark = pytest.mark.slow

STUDIES = [f"data.synthetic.{split}=3" for split in ("train", "val", "test")]
IMAGES = [f"clipse.synthetic.{split}=20" for split in ("train", "val", "test")]


@pytest.mark.parametrize(("base", "few"), [(MULTITASK, STUDIES), (CLIPSE, IMAGES)])
def test_manifest_and_frames_are_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: Path, few: list[str]
) -> None:
    config = load_config(base, [*few, "data.size=32", f"data.cache={tmp_path}", "batch=2"])
    open_project(config, tmp_path / "run")
    read: Counter[str | int] = Counter()
    read_digest = FrameStore.read_digest

    def count(path: Path) -> str:
        read[path.name] += 1
        return hash_file(path)

    def count_row(self: FrameStore, row: int) -> bytes | None:
        read[row] += 1
        return read_digest(self, row)

    monkeypatch.setattr(manifest, "hash_file", count)
    monkeypatch.setattr(FrameStore, "read_digest", count_row)
    open_project(config, tmp_path / "run")
    assert read.pop("manifest.csv", 0) == (base == MULTITASK)
    assert set(read.values()) == {1}


def test_splits_may_be_named_as_in_the_manifest(tmp_path: Path) -> None:
    config = load_config(
        MULTITASK,
        [*STUDIES, "data.size=32", f"data.cache={tmp_path}", "batch=2"]
        + ["data.train_split=Training", "data.validation_split=dev"],
    )
    data = open_study_data(config, tmp_path / "run")
    assert len(data.train) == 3
    assert data.validation is not None
