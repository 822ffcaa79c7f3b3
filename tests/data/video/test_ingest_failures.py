"""What an ingest does when it is ended, refused, or not alone."""

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinelex.core.errors import UserError
from cinelex.data.video import ingest as ingesting
from cinelex.data.video.decode import VideoError, VideoTimeout, VideoUnreadable
from cinelex.data.video.frame_store import FrameStore
from cinelex.data.video.known_files import KnownFiles
from cinelex.data.video.store_writer import StoreWriter
from tests.data.video.stores import Decoding, stores, take_in

pytestmark = pytest.mark.slow

Write = Callable[..., Path]
Steps = Callable[..., np.ndarray]


def test_an_ingest_that_was_ended_keeps_what_it_has_written(
    videos: list[Path], decoding: Decoding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cinelex.data.video.store_writer.SHARD_CINES", 1)
    decoding.fails["8.mp4"] = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        take_in(videos[:3])
    assert decoding.asked == ["2.mp4", "4.mp4", "8.mp4"]
    assert not list(stores(videos)[0].glob(".*")), "nothing half written is left"
    decoding.asked.clear()
    take_in(videos[:3])
    assert decoding.asked == ["8.mp4"]


def test_a_full_disk_is_named_and_keeps_what_was_written(
    videos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cinelex.data.video.store_writer.SHARD_CINES", 1)
    write = StoreWriter.add
    written: list[str] = []

    def add(self: StoreWriter, key: str, *given: Any, **named: Any) -> None:
        if written:
            raise OSError(28, "No space left on device")
        written.append(key)
        write(self, key, *given, **named)

    with monkeypatch.context() as full:
        full.setattr(StoreWriter, "add", add)
        with pytest.raises(UserError, match="disk is full; what was made is kept"):
            take_in(videos[:3])
    assert written[0] in FrameStore(stores(videos)[0])
    assert take_in(videos[:3]).refused == 0


def test_who_comes_while_another_decodes_waits_and_decodes_nothing(
    videos: list[Path], decoding: Decoding, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, waiting, said = threading.Event(), threading.Event(), []
    decode = vars(ingesting)["_decode"]

    def decode_when_somebody_waits(wanted: Any, todo: Any, *rest: Any) -> None:
        if todo.any():
            begun.set()
            assert waiting.wait(60)
        decode(wanted, todo, *rest)

    def say(text: str) -> None:
        said.append(text)
        waiting.set()

    monkeypatch.setattr(ingesting, "_decode", decode_when_somebody_waits)
    monkeypatch.setattr("cinelex.core.folders.say", say)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(take_in, videos)
        assert begun.wait(60)
        second = pool.submit(take_in, videos)
        assert first.result().hash == second.result().hash
    assert said == ["waiting for another process, which makes these frames"]
    assert len(decoding.asked) == len(set(decoding.asked)) == 4


@pytest.mark.parametrize("kind", [VideoUnreadable, VideoTimeout])
def test_what_passes_costs_no_video(
    videos: list[Path], decoding: Decoding, kind: type[VideoError]
) -> None:
    decoding.fails["4.mp4"] = [kind("for a while")]
    assert videos[1] in take_in(videos)
    assert decoding.asked.count("4.mp4") == 2
    assert decoding.asked.count("8.mp4") == 1, "only that one is tried again"


def test_what_fails_twice_is_left_out_until_somebody_asks_for_it(
    videos: list[Path], decoding: Decoding, capsys: pytest.CaptureFixture[str]
) -> None:
    decoding.fails["4.mp4"] = [VideoTimeout("the disk does not answer")] * 2
    stored = take_in(videos)
    assert stored.entry(videos[1]).error == "VideoTimeout"
    said = capsys.readouterr().out
    assert "1 videos could not be read, or not decoded in time, twice (1 VideoTimeout)" in said
    assert f"bash scripts/cache.sh retry {stored.folder}" in said
    assert videos[1] not in take_in(videos)
    assert KnownFiles(Path(stored.folder)).forget(frozenset({"VideoTimeout"})) == 1
    assert videos[1] in take_in(videos)


def test_a_disk_without_room_is_named_before_the_start(
    videos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")._replace(free=100)
    monkeypatch.setattr("cinelex.data.video.ingest.shutil.disk_usage", lambda _: usage)
    with pytest.raises(UserError, match="set data.cache to another disk"):
        take_in(videos)
