"""Videos decoded once, found again, verified."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import cinelex.data.video.ingest
import cinelex.data.video.store_making
from cinelex.core.errors import UserError
from cinelex.core.files import read_json
from cinelex.data.video.ingest import IngestSettings
from cinelex.data.video.resize import Shape
from cinelex.data.video.store import ingest
from tests.data.video.stores import SETTINGS, stores, take_in

pytestmark = pytest.mark.slow

Write = Callable[..., Path]
Steps = Callable[..., np.ndarray]


def test_frames_are_spaced_scaled_and_read_in_place(videos: list[Path]) -> None:
    store = take_in(videos)
    frames = store.frames(videos[0])
    assert frames.shape == (4, 8, 8, 1)
    assert isinstance(frames, np.memmap)
    np.testing.assert_allclose(frames.mean((1, 2, 3)), [90, 110, 130, 150], atol=1)
    assert store.frames(videos[2]).shape == (2, 8, 8, 1)
    clip = store.clip(videos[2], frames=4, draw=None)
    np.testing.assert_allclose(clip.mean((1, 2, 3)), [20, 20, 30, 30], atol=1)
    assert store.entry(videos[0]).total_frames == 8


def test_refused_videos_are_known_by_their_error(videos: list[Path]) -> None:
    store = take_in(videos)
    assert [video in store for video in videos] == [True, True, True, False, False]
    assert store.entry(videos[3]).error == "VideoCorrupt"
    assert store.entry(videos[4]).error == "VideoMissing"
    assert store.seal["refused"] == 2
    with pytest.raises(KeyError, match="VideoCorrupt"):
        store.frames(videos[3])


def test_a_store_is_used_again(videos: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    first = take_in(videos)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("decoded again")

    monkeypatch.setattr(cinelex.data.video.store_making, "decode_all", never)
    again = take_in(videos)
    assert again.folder == first.folder
    assert again.hash == first.hash
    os.utime(videos[0], ns=(1, 1))
    assert take_in(videos).folder == first.folder


def test_workers_and_order_do_not_change_a_byte(
    videos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cinelex.data.video.ingest.VIDEOS_PER_SHARD", 2)
    first = take_in(videos)
    contents = {path.name: path.read_bytes() for path in first.folder.glob("*.u8")}
    assert len(contents) == 3
    shutil.rmtree(first.folder)
    second = take_in(videos[::-1] + videos, workers=3)
    assert second.hash == first.hash
    assert {path.name: path.read_bytes() for path in second.folder.glob("*.u8")} == contents


def test_a_changed_video_is_noticed(videos: list[Path], write_video: Write, steps: Steps) -> None:
    first = take_in(videos)
    write_video(videos[2], steps(2, start=200))
    second = take_in(videos)
    assert second.hash != first.hash
    np.testing.assert_allclose(second.frames(videos[2]).mean(), 205, atol=1)
    content = bytearray(videos[2].read_bytes())
    content[-1] ^= 1  # same size, another time of change
    videos[2].write_bytes(content)
    os.utime(videos[2], ns=(1, 1))
    assert take_in(videos).hash != second.hash


def test_settings_make_stores_of_their_own(videos: list[Path]) -> None:
    gray = take_in(videos)
    colour = take_in(videos, IngestSettings(shape=Shape(size=8)))
    assert colour.folder != gray.folder
    assert colour.frames(videos[0]).shape == (8, 8, 8, 3)
    assert len(stores(videos)) == 2


@pytest.mark.parametrize("name", ["frames-00000.u8", "index.parquet"])
@pytest.mark.parametrize("fault", ["flipped", "truncated", "removed"])
def test_damage_is_named(videos: list[Path], name: str, fault: str) -> None:
    path = take_in(videos).folder / name
    content = bytearray(path.read_bytes())
    content[5] ^= 1
    if fault == "removed":
        path.unlink()
    else:
        path.write_bytes(content if fault == "flipped" else content[:-1])
    with pytest.raises(UserError, match=rf"{name}: damaged; delete"):
        take_in(videos)


def test_a_large_store_is_checked_by_size_alone(videos: list[Path]) -> None:
    store = take_in(videos)
    path = store.folder / "frames-00000.u8"
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)
    store.verify(read_up_to=0)
    with pytest.raises(UserError, match="damaged"):
        store.verify()
    path.write_bytes(content[:-1])
    with pytest.raises(UserError, match="damaged"):
        store.verify(read_up_to=0)


def test_no_video_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no video to ingest"):
        ingest([], root=tmp_path, cache=tmp_path, settings=SETTINGS)


def test_the_seal_tells_what_was_made(videos: list[Path]) -> None:
    store = take_in(videos)
    seal = read_json(store.folder / "store.json")
    assert seal["videos"] == 5
    assert seal["settings"]["shape"] == {"size": 8, "channels": 1, "fit": "crop"}
    assert seal["content"] == store.hash
