"""Videos to frames in a store, each decoded once for all runs that read it the same way."""

import errno
import os
import shutil
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Bool

from cinelex.core.console import say
from cinelex.core.cores import usable_cores
from cinelex.core.errors import UserError
from cinelex.core.files import hash_json, write_json
from cinelex.core.folders import locked
from cinelex.data.prepare.walk import Share
from cinelex.data.video.codecs import Compression
from cinelex.data.video.decode import MAY_PASS, BackendName, Limits
from cinelex.data.video.decode_all import decode_all
from cinelex.data.video.frame_store import FrameStore
from cinelex.data.video.known_files import KnownFiles
from cinelex.data.video.resize import Shape
from cinelex.data.video.videos import StoredVideos
from cinelex.data.video.wanted import Found, Wanted, look

FORMAT = 3
"""Raised when what is stored for the same settings changes."""
SETTINGS = "frames.json"


@dataclass(frozen=True, kw_only=True)
class IngestSettings:
    """How the stored frames are to look, and how they are made."""

    shape: Shape
    stored_frames: int | None = None
    """At most this many frames of a video, the centres of equal segments; None keeps all."""
    backend: BackendName = "pyav"
    """All run in children that can be killed."""
    device: str = "cpu"
    """What decodes: "cpu", or "cuda" where the backend can."""
    limits: Limits = Limits()
    compression: Compression = "none"

    def as_json(self) -> dict[str, Any]:
        """Return what the frames depend on, next to the files themselves."""
        decoder = {"backend": self.backend, "device": self.device}
        return {
            "format": FORMAT,
            "shape": asdict(self.shape),
            "stored_frames": self.stored_frames,
            **decoder,
        }

    def folder(self, cache: Path) -> Path:
        """Return the store of such frames."""
        return cache / hash_json(self.as_json())[:16]


def ingest(
    videos: Iterable[Path] | pa.Array,
    *,
    root: Path,
    cache: Path,
    settings: IngestSettings,
    workers: int | None = None,
    source: FrameStore | None = None,
    share: Share | None = None,
) -> StoredVideos:
    """Return the frames of these videos, decoding those that no earlier call has decoded.

    Frames are found by the content of the file and the settings; a file that has its size and time
    of change from before is not read again. What was decoded when an ingest ended early is kept
    for the next, and what another process decodes into the same store at the same time is found.

    Args:
        videos: Which files, as paths or as an Arrow array of their names below the root; a file
            named twice is stored once. ``store:<key>`` names a cine of ``source``.
        root: What their names are relative to.
        cache: Folder that holds all stores.
        settings: How the frames are to look.
        workers: Children that decode at once; None takes one a core.
        source: Where cines are that were prepared; None where none is named.
        share: Decodes one of several shares, for as many machines, and refuses what is in none
            that was decoded; None decodes all.

    Raises:
        UserError: There is no video, or the disk has no room.
    """
    wanted = look(videos, root=root, source=source)
    del videos  # of millions, their names are many bytes
    pa.default_memory_pool().release_unused()  # what comes next would be held on top of it
    if not len(wanted):
        raise UserError("there is no video to ingest; check the manifest's video column")
    folder = settings.folder(cache)
    found = Found(wanted, folder, settings.limits)
    todo = _own(wanted, found.missing, share)
    if todo.any():
        part = "" if share is None else f".{share}"
        with locked(folder.with_name(f".{folder.name}{part}.lock"), what="these frames"):
            # who held the lock may have made them
            found = Found(wanted, folder, settings.limits)
            todo = _own(wanted, found.missing, share)
            try:
                _decode(wanted, todo, folder, settings, workers or usable_cores(), source)
            except OSError as error:
                raise disk_refusal(error, cache) from error
        found = Found(wanted, folder, settings.limits)
    with suppress(OSError):  # of a store that may only be read
        os.utime(folder / SETTINGS)  # for who asks what can go
    return StoredVideos.over(wanted, found, root=root, settings=settings.as_json())


def _decode(
    wanted: Wanted,
    todo: Bool[np.ndarray, " video"],
    folder: Path,
    settings: IngestSettings,
    workers: int,
    source: FrameStore | None,
) -> None:
    """Decode what is missing, and once more what may pass."""
    if not todo.any():
        return
    _check_space(folder, settings, int(todo.sum()))
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / SETTINGS).exists():
        write_json(folder / SETTINGS, settings.as_json())
    failed = decode_all(wanted.at(todo), folder, settings, workers, source)
    again = [item for item, error in failed if error in MAY_PASS]
    if again:
        say("trying once more, one at a time, what was not read or not decoded in time")
        KnownFiles(folder).forget(MAY_PASS)
        failed = decode_all(again, folder, settings, 1, source)
    _tell_what_may_pass(folder, [error for _, error in failed if error in MAY_PASS])
    KnownFiles(folder).merge()


def _tell_what_may_pass(folder: Path, errors: list[str]) -> None:
    """Name what was left out and might be there another day: a store is used for months."""
    if errors:
        kinds = Counter(errors)
        summary = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        say(
            f"{len(errors)} videos could not be read, or not decoded in time, twice ({summary}), "
            f"and are left out; to try them again another day: "
            f"bash scripts/cache.sh retry {folder}"
        )


def _own(
    wanted: Wanted, missing: Bool[np.ndarray, " video"], share: Share | None
) -> Bool[np.ndarray, " video"]:
    """Return which of the missing videos are of a share, by their names."""
    own = missing.copy()
    if share is not None:
        names = wanted.names.filter(pa.array(missing)).to_pylist()
        own[missing] = [name in share for name in names]
    return own


def _check_space(folder: Path, settings: IngestSettings, videos: int) -> None:
    """Refuse to start where the frames cannot fit on the disk."""
    if settings.stored_frames is None or settings.compression != "none":
        return
    there = next(path for path in (folder, *folder.parents) if path.exists())
    need = videos * settings.stored_frames * settings.shape.size**2 * settings.shape.channels
    free = shutil.disk_usage(there).free
    if need > free:
        raise UserError(
            f"{folder.parent}: decoded frames may take {need / 1e9:.1f} GB and {free / 1e9:.1f} GB "
            "are free; set data.cache to another disk, or lower data.size or data.stored_frames, "
            "or set data.compression=zstd"
        )


def disk_refusal(error: OSError, cache: Path) -> OSError | UserError:
    """Return an error that tells a person what to do, where the disk refused."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UserError(
            f"{cache}: the disk is full; what was made is kept; free some room or set "
            "data.cache to another disk, and start again"
        )
    if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        return UserError(f"{cache}: cannot be written to; set data.cache to a folder that can")
    return error
