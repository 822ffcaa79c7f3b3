"""Every video decoded once: frames into shards, failures into a table."""

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cinelex.core.console import say
from cinelex.core.progress import progress
from cinelex.data.video.decode import BackendName, Limits, VideoError, VideoUnreadable
from cinelex.data.video.decoders import ChildDecoder
from cinelex.data.video.resize import Shape
from cinelex.data.video.shards import Entry, keep_shard, kept_shard, shard_name, stamp

VIDEOS_PER_SHARD = 256
FORMAT = 2
"""Raised when what a shard holds for the same settings changes."""
BACK_OFF_S = (0.5, 2.0, 5.0)
"""Waits before the file system is asked again."""


@dataclass(frozen=True, kw_only=True)
class IngestSettings:
    """What the stored frames depend on, next to the files themselves."""

    shape: Shape
    stored_frames: int | None = None
    """At most this many frames of a video, the centres of equal segments; None keeps all."""
    backend: BackendName = "pyav"
    """Both run in children that can be killed."""
    limits: Limits = Limits()

    def as_json(self) -> dict[str, Any]:
        """Return the settings as the store's hash sees them."""
        return {"format": FORMAT, **asdict(self)}


def decode_all(
    videos: Sequence[tuple[str, Path]],
    *,
    folder: Path,
    settings: IngestSettings,
    workers: int,
) -> list[Entry]:
    """Decode videos into ``folder``/frames-NNNNN.u8 and return an entry for each, in order.

    Shards that an earlier call completed in the same folder are not made again, except those with a
    video whose error may have passed. Shards do not depend on the number of workers. Each worker
    drives one child process and holds one video's stored frames at a time.

    Args:
        videos: The name and the path of each.
        folder: Where the shards are written.
        settings: How the frames are to look.
        workers: Children at work at once.
    """
    shards = [
        (number, videos[start : start + VIDEOS_PER_SHARD])
        for number, start in enumerate(range(0, len(videos), VIDEOS_PER_SHARD))
    ]
    ticks: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
    stop = threading.Event()
    with _children(settings, workers) as children, ThreadPoolExecutor(workers) as pool:
        jobs = [
            pool.submit(_fill, number, part, folder, settings, children, ticks, stop)
            for number, part in shards
        ]
        try:
            for _ in progress(range(len(videos)), total=len(videos), what="decoding videos"):
                failure = ticks.get()
                if failure is not None:
                    raise failure
        finally:
            stop.set()
    return [entry for job in jobs for entry in job.result()]


@contextmanager
def _children(
    settings: IngestSettings, workers: int
) -> Iterator["queue.SimpleQueue[ChildDecoder]"]:
    idle: queue.SimpleQueue[ChildDecoder] = queue.SimpleQueue()
    made = [ChildDecoder(settings.limits, backend=settings.backend) for _ in range(workers)]
    for child in made:
        idle.put(child)
    try:
        yield idle
    finally:
        for child in made:
            child.close()
        deaths = sum(child.deaths for child in made)
        if deaths:
            say(f"warning: decoders died {deaths} times; each video was tried once more")


def _fill(
    number: int,
    videos: Sequence[tuple[str, Path]],
    folder: Path,
    settings: IngestSettings,
    children: "queue.SimpleQueue[ChildDecoder]",
    ticks: "queue.SimpleQueue[BaseException | None]",
    stop: threading.Event,
) -> list[Entry]:
    """Write one shard, unless it is there."""
    kept = kept_shard(folder, number, videos)
    if kept is not None:
        for _ in kept:
            ticks.put(None)
        return kept
    child = children.get()
    entries = []
    try:
        with (folder / shard_name(number)).open("wb") as shard:
            for name, path in videos:
                if stop.is_set():
                    break
                entry, frames = _decode(child, name, path, settings, number, shard.tell())
                if frames is not None:
                    shard.write(frames.data)
                entries.append(entry)
                ticks.put(None)
            if len(entries) == len(videos):
                keep_shard(shard, folder, number, entries)
    except BaseException as error:
        ticks.put(error)
        raise
    finally:
        children.put(child)
    return entries


def _decode(
    child: ChildDecoder,
    name: str,
    path: Path,
    settings: IngestSettings,
    shard: int,
    offset: int,
) -> tuple[Entry, Any]:
    size, mtime = stamp(path)
    for wait in (*BACK_OFF_S, None):
        try:
            info, content, frames = child.read_stored(
                path, shape=settings.shape, stored_frames=settings.stored_frames
            )
        except VideoUnreadable as error:
            if wait is None:
                return _failed(name, size, mtime, error), None
            time.sleep(wait)
        except VideoError as error:
            return _failed(name, size, mtime, error), None
        else:
            stored = len(frames)
            entry = Entry(name, size, mtime, content, "", info.frames, stored, shard, offset)
            return entry, np.ascontiguousarray(frames)
    raise AssertionError("the last wait is None")


def _failed(name: str, size: int, mtime: int, error: VideoError) -> Entry:
    return Entry(name, size, mtime, "", type(error).__name__, 0, 0, -1, 0)
