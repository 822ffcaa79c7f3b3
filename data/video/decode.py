"""Video files to RGB frames: one interface, typed refusals."""

# ruff: noqa: N818 - each name says what is wrong with the video; they are listed in rejects.csv

import errno
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from cinelex.core.errors import UserError


class VideoError(UserError):
    """A video that cannot be used; the message names no path, for paths can name patients."""


class VideoMissing(VideoError):
    """There is no such file."""


class VideoUnreadable(VideoError):
    """The file system refuses to read the file; worth another try."""


class VideoCorrupt(VideoError):
    """The file is truncated, damaged, or no video at all."""


class VideoUnsupported(VideoError):
    """The file is sound, but nothing here decodes it."""


class VideoTooLarge(VideoError):
    """The frames are too large or too many; refused before they are allocated."""


class VideoTimeout(VideoError):
    """The decoder did not answer within its deadline, or died."""


class VideoNotDecoded(VideoError):
    """Nobody has decoded it yet; another machine's share."""


class SetupError(UserError):
    """The decoder itself cannot be used on this machine; no video is to blame."""


VIDEO_ERRORS: dict[str, type[VideoError]] = {
    kind.__name__: kind for kind in VideoError.__subclasses__()
}


NO_FILE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EISDIR})
"""What a file system says where there is no such file, and will be none however often one asks."""
MAY_PASS = frozenset({VideoUnreadable.__name__, VideoTimeout.__name__})
"""Errors that may be the machine's fault and not the video's: worth another start."""


BackendName = Literal["pyav", "decord", "torchcodec"]
"""The libraries that decode; ``backends`` has what each is."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a decoder refuses to start on."""

    max_pixels: int = 7680 * 4320
    """Rows times columns of one frame."""
    max_frames: int = 100_000
    """Frames of one video; about an hour at 30 frames a second."""
    deadline_s: float = 120.0
    """Seconds that one video may take."""


@dataclass(frozen=True)
class VideoInfo:
    """What a video is, after every frame of it was decoded."""

    frames: int
    """Frames that come out of the decoder, not what the container says."""
    height: int
    """Rows as shown, that is after the rotation flag."""
    width: int
    times_ms: tuple[float, ...] | None = None
    """When each frame is shown, from the first one on; None where the file does not say."""


Keep = Callable[[UInt8[np.ndarray, "row column 3"]], UInt8[np.ndarray, "..."]]
Choose = Callable[[int], Sequence[int]]


@runtime_checkable
class Decoder(Protocol):
    """Reads a video file.

    Every method raises ``VideoMissing``, ``VideoUnreadable``, ``VideoCorrupt``,
    ``VideoUnsupported``, ``VideoTooLarge`` or ``VideoTimeout``.
    """

    def probe(self, path: Path) -> VideoInfo:
        """Decode the video once and return the true number and size of its frames."""

    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "frame row column 3"]:
        """Return the frames at ``indices``, which may repeat, as RGB in [0, 255].

        The rotation flag is honoured. The colour matrix and the range are the stream's own, and
        BT.601 limited range where the stream does not say.

        Raises:
            IndexError: The video has no such frame.
        """
