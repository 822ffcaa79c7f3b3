"""Videos decoded once, found again, verified."""

import os
import re
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cinelex.data.video.ingest
import cinelex.data.video.store_making
from cinelex.core.errors import UserError
from cinelex.core.files import read_json
from cinelex.data.video.decode import VideoError, VideoTimeout, VideoUnreadable
from cinelex.data.video.ingest import IngestSettings
from cinelex.data.video.resize import Shape
from cinelex.data.video.shards import stamp
from cinelex.data.video.store import FrameStore, ingest

Write = Callable[..., Path]
Steps = Callable[..., np.ndarray]
SETTINGS = IngestSettings(shape=Shape(size=8, channels=1), stored_frames=4)


@pytest.fixture
def videos(tmp_path: Path, write_video: Write, steps: Steps) -> list[Path]:
    """Videos of 8, 4 and 2 frames, one that is garbage and one that is not there."""
    root = tmp_path / "videos"
    written = [
        write_video(root / f"{frames}.mp4", steps(frames, start=10 * frames))
        for frames in (8, 4, 2)
    ]
    (root / "bad.mp4").write_bytes(b"no video")
    return [*written, root / "bad.mp4", root / "absent.mp4"]


def take_in(
    videos: list[Path], settings: IngestSettings = SETTINGS, workers: int = 1
) -> FrameStore:
    root = videos[0].parent
    cache = root.parent / "cache"
    return ingest(videos, root=root, cache=cache, settings=settings, workers=workers)


def stores(videos: list[Path]) -> list[Path]:
    """Return the finished stores."""
    folders = (videos[0].parent.parent / "cache").iterdir()
    return sorted(folder for folder in folders if not folder.name.startswith("."))


class Decoding:
    """Stands for the decoding of a video: notes what is asked, and fails where it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.fails: dict[str, list[BaseException]] = {}
        self._decode = vars(cinelex.data.video.ingest)["_decode"]
        monkeypatch.setattr(cinelex.data.video.ingest, "_decode", self)

    def __call__(self, child: Any, name: str, path: Path, *rest: Any) -> Any:
        self.asked.append(name)
        failures = self.fails.get(name)
        if not failures:
            return self._decode(child, name, path, *rest)
        error = failures.pop(0)
        if isinstance(error, VideoError):
            return vars(cinelex.data.video.ingest)["_failed"](name, *stamp(path), error), None
        raise error


@pytest.fixture
def decoding(monkeypatch: pytest.MonkeyPatch) -> Decoding:
    """What is decoded, in shards of two videos."""
    monkeypatch.setattr("cinelex.data.video.ingest.VIDEOS_PER_SHARD", 2)
    return Decoding(monkeypatch)


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


def test_a_failure_leaves_no_half_store_and_costs_no_decoded_frame(
    videos: list[Path], decoding: Decoding, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(cinelex.data.video.store_making, "write_json", full)
        with pytest.raises(OSError, match="No space"):
            take_in(videos)
    assert stores(videos) == []
    decoding.asked.clear()
    store = take_in(videos)
    assert decoding.asked == []
    assert store.seal["videos"] == 5
    assert {path.suffix for path in store.folder.iterdir()} == {".u8", ".parquet", ".json"}
    assert [path.name for path in store.folder.glob("*.json")] == ["store.json"]


@pytest.mark.parametrize("touched", [False, True])
def test_an_ingest_that_was_ended_goes_on_with_the_shards_that_it_lacks(
    videos: list[Path], decoding: Decoding, touched: bool
) -> None:
    decoding.fails["8.mp4"] = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        take_in(videos)
    assert decoding.asked[:3] == ["2.mp4", "4.mp4", "8.mp4"]
    decoding.asked.clear()
    if touched:
        os.utime(videos[1], ns=(1, 1))
    frames = take_in(videos).frames(videos[0])
    first = ["2.mp4", "4.mp4"] if touched else []
    # the third shard may have been finished before its worker heard of the end
    assert [name for name in decoding.asked if name != "bad.mp4"] == [
        *first,
        "8.mp4",
        "absent.mp4",
    ]
    np.testing.assert_allclose(frames.mean((1, 2, 3)), [90, 110, 130, 150], atol=1)


def test_who_comes_while_another_decodes_waits_and_takes_its_store(
    videos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, waiting, said = threading.Event(), threading.Event(), []
    decode_all = vars(cinelex.data.video.store_making)["decode_all"]

    def decode_when_somebody_waits(*given: Any, **named: Any) -> Any:
        assert not begun.is_set(), "decoded by both"
        begun.set()
        assert waiting.wait(60)
        return decode_all(*given, **named)

    def say(text: str) -> None:
        said.append(text)
        waiting.set()

    monkeypatch.setattr(cinelex.data.video.store_making, "decode_all", decode_when_somebody_waits)
    monkeypatch.setattr("cinelex.core.folders.say", say)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(take_in, videos)
        assert begun.wait(60)
        second = pool.submit(take_in, videos)
        assert first.result().folder == second.result().folder
    assert said == ["waiting for another process, which makes the frames of these videos"]


@pytest.mark.parametrize("kind", [VideoUnreadable, VideoTimeout])
def test_what_passes_costs_no_video(
    videos: list[Path], decoding: Decoding, kind: type[VideoError]
) -> None:
    decoding.fails["4.mp4"] = [kind("for a while")]
    store = take_in(videos)
    assert videos[1] in store
    assert decoding.asked[-2:] == ["2.mp4", "4.mp4"], "only their shard is made again"


def test_what_fails_twice_is_left_out_and_named_with_what_to_do(
    videos: list[Path], decoding: Decoding, capsys: pytest.CaptureFixture[str]
) -> None:
    decoding.fails["4.mp4"] = [VideoTimeout("the disk does not answer")] * 2
    store = take_in(videos)
    assert videos[1] not in store
    assert store.seal["refused"] == 3
    said = capsys.readouterr().out
    assert "1 of 5 videos could not be read, or not decoded in time, twice (1 VideoTimeout)" in said
    (named,) = re.findall(r"delete (\S+)\*", said)
    assert str(store.folder).startswith(named)


def test_a_disk_without_room_is_named_before_the_start(
    videos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")._replace(free=100)
    monkeypatch.setattr("cinelex.data.video.store_making.shutil.disk_usage", lambda _: usage)
    with pytest.raises(UserError, match="set data.cache to another disk"):
        take_in(videos)


def test_no_video_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no video to ingest"):
        ingest([], root=tmp_path, cache=tmp_path, settings=SETTINGS)


def test_the_seal_tells_what_was_made(videos: list[Path]) -> None:
    store = take_in(videos)
    seal = read_json(store.folder / "store.json")
    assert seal["videos"] == 5
    assert seal["settings"]["shape"] == {"size": 8, "channels": 1, "fit": "crop"}
    assert seal["content"] == store.hash
