"""A store that is being made: failures, ends, waiting, room."""

import os
import re
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cinelex.data.video.ingest
import cinelex.data.video.store_making
from cinelex.core.errors import UserError
from cinelex.data.video.decode import VideoError, VideoTimeout, VideoUnreadable
from cinelex.data.video.shards import stamp
from tests.data.video.stores import stores, take_in

pytestmark = pytest.mark.slow


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
