"""Videos decoded once, found again by their content."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from cinelex.core.errors import UserError
from cinelex.data.prepare.walk import Share
from cinelex.data.video.decode import Limits
from cinelex.data.video.frame_store import FrameStore
from cinelex.data.video.ingest import IngestSettings, ingest
from cinelex.data.video.resize import Shape
from cinelex.data.video.sampling import Sampling
from cinelex.data.video.store_writer import StoreWriter
from tests.data.video.stores import SETTINGS, Decoding, stores, take_in

pytestmark = pytest.mark.slow

Write = Callable[..., Path]
Steps = Callable[..., np.ndarray]


def test_frames_are_spaced_scaled_and_read_in_place(videos: list[Path]) -> None:
    stored = take_in(videos)
    frames = stored.frames(videos[0])
    assert frames.shape == (4, 8, 8, 1)
    assert not frames.flags.writeable  # the mapped file, no copy
    np.testing.assert_allclose(frames.mean((1, 2, 3)), [90, 110, 130, 150], atol=1)
    assert stored.frames(videos[2]).shape == (2, 8, 8, 1)
    clip = stored.clip(videos[2], Sampling(frames=4), draw=None)
    np.testing.assert_allclose(clip.mean((1, 2, 3)), [20, 20, 30, 30], atol=1)
    assert stored.entry(videos[0]).total_frames == 8


def test_frame_times_of_what_is_kept_are_kept(videos: list[Path]) -> None:
    stored = take_in(videos)
    times = stored.store.times_at(stored.row(videos[0]))
    # frames 1, 3, 5, 7 of 25 a second
    np.testing.assert_allclose(times, [40, 120, 200, 280])


def test_refused_videos_are_known_by_their_error(videos: list[Path]) -> None:
    stored = take_in(videos)
    assert [video in stored for video in videos] == [True, True, True, False, False]
    assert stored.entry(videos[3]).error == "VideoCorrupt"
    assert stored.entry(videos[4]).error == "VideoMissing"
    assert (len(stored), stored.refused) == (5, 2)
    with pytest.raises(KeyError, match="VideoCorrupt"):
        stored.frames(videos[3])
    names = pa.array(["2.mp4", "bad.mp4", "never.mp4"], pa.large_string())
    assert stored.holds(names).tolist() == [True, False, False]


def test_nothing_is_decoded_or_read_again(videos: list[Path], decoding: Decoding) -> None:
    first = take_in(videos)
    decoding.asked.clear()
    assert take_in(videos).hash == first.hash
    assert decoding.asked == []
    os.utime(videos[0], ns=(1, 1))
    assert take_in(videos).hash == first.hash
    assert decoding.asked == []


def test_one_more_video_is_all_that_is_decoded(
    videos: list[Path], decoding: Decoding, write_video: Write, steps: Steps
) -> None:
    first = take_in(videos[:2])
    shards = {path: path.read_bytes() for path in stores(videos)[0].glob("frames-*")}
    decoding.asked.clear()
    more = take_in(videos[:3])
    assert decoding.asked == [videos[2].name]
    assert all(path.read_bytes() == content for path, content in shards.items())
    assert more.hash != first.hash
    assert take_in(videos[:2]).hash == first.hash, "a run's hash is that of what it reads"


def test_a_video_under_another_name_is_not_decoded_again(
    videos: list[Path], decoding: Decoding
) -> None:
    copy = videos[0].with_name("copy.mp4")
    shutil.copy(videos[0], copy)
    stored = take_in([copy, *videos], workers=2)
    assert len(decoding.asked) == len({*decoding.asked} - {"copy.mp4", videos[0].name}) + 1
    np.testing.assert_array_equal(stored.frames(copy), stored.frames(videos[0]))


def test_a_copy_of_a_bad_video_is_as_bad(videos: list[Path], decoding: Decoding) -> None:
    copy = videos[3].with_name("copy.mp4")
    shutil.copy(videos[3], copy)
    stored = take_in([copy, videos[3]], workers=1)
    assert [stored.entry(video).error for video in (copy, videos[3])] == ["VideoCorrupt"] * 2
    decoding.asked.clear()
    assert take_in([copy, videos[3]]).refused == 2
    assert decoding.asked == []


def test_workers_and_order_do_not_change_a_frame(videos: list[Path]) -> None:
    first = take_in(videos)
    shutil.rmtree(stores(videos)[0])
    assert take_in(videos[::-1] + videos, workers=3).hash == first.hash


def test_a_changed_video_is_noticed(videos: list[Path], write_video: Write, steps: Steps) -> None:
    first = take_in(videos)
    write_video(videos[2], steps(2, start=200))
    second = take_in(videos)
    assert second.hash != first.hash
    np.testing.assert_allclose(second.frames(videos[2]).mean(), 205, atol=1)


def test_settings_make_stores_of_their_own(videos: list[Path]) -> None:
    gray = take_in(videos)
    colour = take_in(videos, IngestSettings(shape=Shape(size=8)))
    assert colour.frames(videos[0]).shape == (8, 8, 8, 3)
    assert gray.frames(videos[0]).shape == (4, 8, 8, 1)
    assert len(stores(videos)) == 2


def test_compressed_frames_are_the_same_frames(videos: list[Path]) -> None:
    raw = take_in(videos)
    shutil.rmtree(stores(videos)[0])
    packed = take_in(videos, replace(SETTINGS, compression="zstd"))
    assert packed.hash == raw.hash


def test_other_limits_look_again_at_what_was_refused(
    videos: list[Path], decoding: Decoding
) -> None:
    low = replace(SETTINGS, limits=Limits(max_frames=3))
    assert take_in(videos[:3], low).refused == 2
    decoding.asked.clear()
    assert take_in(videos[:3]).refused == 0
    assert sorted(decoding.asked) == ["4.mp4", "8.mp4"]


@pytest.mark.parametrize("fault", ["flipped", "truncated"])
def test_damage_is_named_and_its_removal_mends_it(videos: list[Path], fault: str) -> None:
    first = take_in(videos)
    (path,) = stores(videos)[0].glob("frames-*")
    content = bytearray(path.read_bytes())
    content[5] ^= 1
    path.write_bytes(content if fault == "flipped" else content[:-40])
    with pytest.raises(UserError, match=rf"{path.name}: .*; delete it"):
        take_in(videos)
    path.unlink()
    assert take_in(videos).hash == first.hash


def test_a_large_store_is_not_read_at_every_start(videos: list[Path]) -> None:
    stored = take_in(videos)
    (path,) = stores(videos)[0].glob("frames-*")
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)
    stored.verify(read_up_to=0)
    with pytest.raises(UserError, match="damaged"):
        stored.verify()


def test_no_video_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no video to ingest"):
        ingest([], root=tmp_path, cache=tmp_path, settings=SETTINGS)


def test_machines_share_what_is_missing(videos: list[Path], decoding: Decoding) -> None:
    root = videos[0].parent
    cache = root.parent / "cache"
    first = ingest(videos[:3], root=root, cache=cache, settings=SETTINGS, share=Share(1, 2))
    mine = set(decoding.asked)
    assert first.refused == 3 - len(mine)
    decoding.asked.clear()
    both = ingest(videos[:3], root=root, cache=cache, settings=SETTINGS, share=Share(2, 2))
    assert both.refused == 0
    assert mine.isdisjoint(decoding.asked)


def test_prepared_cines_are_scaled_like_files(tmp_path: Path, decoding: Decoding) -> None:
    levels = np.arange(0, 60, 10, dtype=np.uint8)
    gray = np.broadcast_to(levels[:, None, None, None], (6, 16, 32, 1)).copy()
    with StoreWriter(tmp_path / "store") as writer:
        writer.add("gray", gray, times_ms=[0.0, 10.0, 30.0, 60.0, 100.0, 150.0])
        writer.add("rgb", np.repeat(gray, 3, axis=3))
    cells = [Path(f"store:{key}") for key in ("gray", "rgb", "absent")]
    settings = replace(SETTINGS, stored_frames=3)

    def read() -> Any:
        store = FrameStore(tmp_path / "store")
        return ingest(cells, root=tmp_path, cache=tmp_path, settings=settings, source=store)

    stored = read()
    assert stored.frames(cells[0]).shape == (3, 8, 8, 1)
    assert stored.frames(cells[0])[:, 0, 0, 0].tolist() == [10, 30, 50]
    np.testing.assert_array_equal(stored.frames(cells[1]), stored.frames(cells[0]))
    assert stored.store.times_at(stored.row(cells[0])).tolist() == [10, 60, 150]
    assert stored.entry(cells[2]).error == "VideoMissing"
    decoding.asked.clear()
    assert read().hash == stored.hash
    assert decoding.asked == []
