"""The workers of an ingest: each drives a child that decodes, and writes shards of its own."""

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cinelex.core.console import say
from cinelex.core.progress import progress
from cinelex.data.video.decode import (
    VideoError,
    VideoMissing,
    VideoUnreadable,
    VideoUnsupported,
)
from cinelex.data.video.decoders import ChildDecoder
from cinelex.data.video.frame_store import FrameStore
from cinelex.data.video.frames import evenly_spaced
from cinelex.data.video.known_files import Outcome, note
from cinelex.data.video.resize import reshape_frame
from cinelex.data.video.store_writer import StoreWriter
from cinelex.data.video.wanted import Item, limits_mark, stamp

if TYPE_CHECKING:
    from cinelex.data.video.ingest import IngestSettings

BACK_OFF_S = (0.5, 2.0, 5.0)
"""Waits before the file system is asked again."""


@dataclass
class _Shared:
    """What the workers of one call share."""

    folder: Path
    settings: "IngestSettings"
    source: FrameStore | None
    store: FrameStore
    todo: "queue.SimpleQueue[Item]" = field(default_factory=queue.SimpleQueue)
    ticks: "queue.SimpleQueue[BaseException | None]" = field(default_factory=queue.SimpleQueue)
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    claimed: dict[str, str] = field(default_factory=dict)
    """Contents that a worker has taken, and the error that came of each."""

    def claim(self, content: str) -> bool:
        """Return whether the caller is the first to ask for a content that is not stored."""
        with self.lock:
            if content in self.claimed or content in self.store:
                return False
            self.claimed[content] = ""
            return True


def decode_all(
    items: Sequence[Item],
    folder: Path,
    settings: "IngestSettings",
    workers: int,
    source: FrameStore | None,
) -> list[tuple[Item, str]]:
    """Decode videos into a store, and return those that were refused, each with its error.

    Each worker drives one child process and holds one video's stored frames at a time.

    Args:
        items: The videos.
        folder: The store.
        settings: How the frames are to look.
        workers: Children at work at once.
        source: Where cines are that were prepared.
    """
    shared = _Shared(folder, settings, source, FrameStore(folder))
    for item in items:
        shared.todo.put(item)
    workers = min(workers, len(items))
    with ThreadPoolExecutor(workers) as pool:
        jobs = [pool.submit(_work, number, shared) for number in range(workers)]
        try:
            for _ in progress(range(len(items)), total=len(items), what="decoding videos"):
                failure = shared.ticks.get()
                if failure is not None:
                    raise failure
        finally:
            shared.stop.set()
    done = [pair for job in jobs for pair in job.result()]
    return _failures(done, shared)


def _failures(done: Sequence[tuple[Item, Outcome]], shared: _Shared) -> list[tuple[Item, str]]:
    """Return what was refused; a file equal to one that was refused is refused as that was."""
    equal = [
        (item, shared.claimed[outcome.content])
        for item, outcome in done
        if not outcome.error and shared.claimed.get(outcome.content)
    ]
    refused = [Outcome(_refused(item, shared), "", error) for item, error in equal]
    note(shared.folder, refused)
    return equal + [(item, outcome.error) for item, outcome in done if outcome.error]


def _work(number: int, shared: _Shared) -> list[tuple[Item, Outcome]]:
    """Decode until there is nothing left; return what became of each."""
    done: list[tuple[Item, Outcome]] = []
    noted = 0
    settings = shared.settings
    writer = StoreWriter(shared.folder, part=str(number), compression=settings.compression)
    try:
        with _child(settings) as child, writer:
            while not shared.stop.is_set():
                try:
                    item = shared.todo.get_nowait()
                except queue.Empty:
                    break
                closed = writer.closed
                done.append((item, _take(item, child, writer, shared)))
                if writer.closed > closed:
                    _note(done[noted:], shared)
                    noted = len(done)
                shared.ticks.put(None)
        _note(done[noted:], shared)
    except BaseException as error:
        shared.ticks.put(error)
        raise
    return done


def _note(done: Sequence[tuple[Item, Outcome]], shared: _Shared) -> None:
    """Keep what became of files; of prepared cines, whose contents are known, refusals alone."""
    kept = [outcome for item, outcome in done if item.key is None or outcome.error]
    note(shared.folder, kept)


@contextmanager
def _child(settings: "IngestSettings") -> Iterator[ChildDecoder]:
    with ChildDecoder(settings.limits, backend=settings.backend, device=settings.device) as child:
        yield child
        if child.deaths:
            say(f"warning: a decoder died {child.deaths} times; each video was tried once more")


def _take(item: Item, child: ChildDecoder, writer: StoreWriter, shared: _Shared) -> Outcome:
    """Store the frames of a video, unless they are there, and return what became of it."""
    content = ""
    for wait in (*BACK_OFF_S, None):
        try:
            content = _content(item, child, shared)
            if shared.claim(content):
                _store(item, content, child, writer, shared)
        except VideoUnreadable as error:
            shared.claimed.pop(content, None)
            if wait is None:
                return _refusal(item, "", error, shared)
            time.sleep(wait)
        except VideoError as error:
            shared.claimed[content] = type(error).__name__
            return _refusal(item, content, error, shared)
        else:
            return Outcome(item.file, content, "")
    raise AssertionError("the last wait is None")


def _content(item: Item, child: ChildDecoder, shared: _Shared) -> str:
    if item.key is None:
        if item.path.exists() and not item.path.is_file():
            raise VideoUnsupported("it is not a regular file")
        return child.content(item.path)
    if shared.source is None or item.key not in shared.source:
        raise VideoMissing("the store has no such cine")
    return shared.source.digest(item.key)


def _store(
    item: Item, content: str, child: ChildDecoder, writer: StoreWriter, shared: _Shared
) -> None:
    shape, stored_frames = shared.settings.shape, shared.settings.stored_frames
    if item.key is None:
        info, frames = child.read_stored(item.path, shape=shape, stored_frames=stored_frames)
        if stamp(item.path) != (item.size, item.mtime_ns):
            raise VideoUnreadable("it changed while it was read")
        total = info.frames
        chosen = evenly_spaced(total, stored_frames)
        times = None if info.times_ms is None else [info.times_ms[index] for index in chosen]
    else:
        assert shared.source is not None
        row = shared.source.row(item.key)
        total = shared.source.stored(row).shape[0]
        chosen = evenly_spaced(total, stored_frames)
        whole = shared.source.read(row, chosen)
        frames = np.stack([reshape_frame(frame, shape=shape) for frame in whole])
        all_times: Any = shared.source.times_at(row)
        times = None if all_times is None else all_times[chosen].tolist()
    writer.add(content, np.ascontiguousarray(frames), times_ms=times, total_frames=total)


def _refusal(item: Item, content: str, error: VideoError, shared: _Shared) -> Outcome:
    return Outcome(_refused(item, shared), content, type(error).__name__)


def _refused(item: Item, shared: _Shared) -> str:
    return f"{item.file}|{limits_mark(shared.settings.limits)}"
