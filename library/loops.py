"""Cines as a browser can show them: all frames side by side in one picture, and their times.

No browser plays every codec, and several players drift apart. The page draws all views from such
sheets by one clock, at the speed at which they were filmed.
"""

import io
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from cinelex.core.errors import UserError
from cinelex.core.files import write_whole
from cinelex.data.video.frame_store import FrameStore
from cinelex.data.video.frames import evenly_spaced
from cinelex.library.catalog import Catalog, Video

MAX_SIDE: Final = 8192
"""Rows or columns of a sheet; phones decode no larger ones."""
MAX_FRAMES: Final = 512
QUALITY: Final = 90
UNTIMED_MS: Final = 100.0
"""How long a frame is shown where nobody knows; the page says so."""
Frames = UInt8[np.ndarray, "frame row column channel"]


@dataclass(frozen=True)
class Loop:
    """What a browser needs to know of a cine before it has the picture."""

    frames: int
    columns: int
    """Frames side by side in the sheet."""
    rows_px: int
    columns_px: int
    times_ms: list[float]
    """When each frame begins; one more for the end."""
    timed: bool
    """False where the file did not say how fast it is."""


def chosen(frames: int, rows: int, columns: int) -> list[int]:
    """Return the frames that are shown: all, or as many evenly spaced ones as a sheet can hold."""
    most = min(MAX_FRAMES, max(1, MAX_SIDE // rows) * max(1, MAX_SIDE // columns))
    return evenly_spaced(frames, most)


def loop_of(shape: Sequence[int], times_ms: Any) -> Loop:
    """Return what is known of a cine of a shape and, where they are known, frame times."""
    frames, rows, columns = shape[:3]
    taken = chosen(frames, rows, columns)
    timed = times_ms is not None and frames > 1
    times = np.asarray(times_ms) if timed else np.arange(frames) * UNTIMED_MS
    gap = float(np.median(np.diff(times))) if frames > 1 else UNTIMED_MS
    begins = [round(float(times[n] - times[0]), 2) for n in taken]
    end = round(float(times[-1] - times[0]) + gap, 2)
    return Loop(len(taken), _across(len(taken), columns), rows, columns, [*begins, end], timed)


def sheet(frames: Frames, *, count: int | None = None) -> bytes:
    """Return the frames of a cine as one WebP picture; ``count`` takes the first few alone."""
    rows, columns = frames.shape[1:3]
    taken = frames[chosen(len(frames), rows, columns)][:count]
    across = _across(len(taken), columns)
    down = -(-len(taken) // across)
    whole = np.zeros((down * rows, across * columns, frames.shape[3]), np.uint8)
    for place, frame in enumerate(taken):
        top, left = place // across * rows, place % across * columns
        whole[top : top + rows, left : left + columns] = frame
    stream = io.BytesIO()
    picture = whole[:, :, 0] if whole.shape[2] == 1 else whole
    Image.fromarray(picture).save(stream, "WEBP", quality=QUALITY, method=2)
    return stream.getvalue()


def _across(frames: int, columns: int) -> int:
    return min(max(1, MAX_SIDE // columns), math.ceil(math.sqrt(frames)))


class Loops:
    """The cines of a library by their numbers; nothing else can be asked for."""

    def __init__(self, catalog: Catalog, kept: Path) -> None:
        """Open the stores of frames.

        Args:
            catalog: What says in which store a video is.
            kept: Where sheets are kept that were made once.

        Raises:
            UserError: The frames are not where they were when the studies were indexed.
        """
        self._catalog, self._kept = catalog, kept
        stores = catalog.stores()
        self._stores = {store: FrameStore(store) for store in stores}
        for store, key in stores.items():
            if self._stores[store].row(key) < 0:
                raise UserError(
                    f"{store}: the frames of this library are not there; start in the folder in "
                    "which its studies were indexed, from which that path is"
                )
        self._making = threading.Semaphore(2)

    def about(self, video: Video) -> Loop:
        """Return what a browser needs to know of a video."""
        store = self._stores[video.store]
        stored = store.stored(store.row(video.key))
        return loop_of(stored.shape, store.times_of(stored))

    def poster(self, number: int) -> bytes | None:
        """Return the first frame of a video; None where there is no such video."""
        video = self._catalog.video(number)
        return None if video is None else sheet(self._frames(video), count=1)

    def sheet(self, number: int) -> Path | None:
        """Return the file of all frames of a video; None where there is no such video."""
        video = self._catalog.video(number)
        if video is None:
            return None
        path = self._kept / f"{video.key}.webp"
        if not path.exists():
            with self._making:
                write_whole(path, sheet(self._frames(video)))
        return path

    def _frames(self, video: Video) -> Frames:
        store = self._stores[video.store]
        return store.read(store.row(video.key))
