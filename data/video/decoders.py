"""Decoders that run in a child process with a deadline."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from cinelex.core.children import Child, ChildDiedError, ChildLateError
from cinelex.data.video.decode import (
    VIDEO_ERRORS,
    BackendName,
    Limits,
    SetupError,
    VideoCorrupt,
    VideoInfo,
    VideoTimeout,
)
from cinelex.data.video.resize import Shape


class ChildDecoder:
    """A decoder in a child process that is killed, and started anew, when it misses its deadline.

    Neither a hang with the interpreter's lock held nor a crash reaches the caller: a hang is a
    ``VideoTimeout``, and so is a second death on the same video. The first may be somebody else's
    fault, such as a lack of memory: the video is tried once more. One thread at a time may use it.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        backend: BackendName = "decord",
        device: str = "cpu",
    ) -> None:
        self.limits = limits or Limits()
        self.backend, self.device = backend, device
        self.deaths = 0
        """How often a child died over a video."""
        self._child = Child("cinelex.data.video.decode_child")

    def probe(self, path: Path) -> VideoInfo:
        """Decode the video once and return the true number and size of its frames."""
        header, _ = self._ask({"do": "probe", "path": str(path)})
        return _info(header)

    def content(self, path: Path) -> str:
        """Return the SHA-256 of a file's bytes, in hexadecimal."""
        header, _ = self._ask({"do": "hash", "path": str(path)})
        return header["content"]

    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "frame row column 3"]:
        """Return the frames at ``indices`` as RGB; see ``Decoder.read``."""
        _, frames = self._ask({"do": "read", "path": str(path), "indices": list(indices)})
        return frames

    def read_stored(
        self, path: Path, *, shape: Shape, stored_frames: int | None, dicom: bool = False
    ) -> tuple[VideoInfo, UInt8[np.ndarray, "frame row column channel"]]:
        """Return what the video is, and its frames as they are stored; see ``evenly_spaced``.

        With ``dicom`` the file is a DICOM cine, and its frames are cut to its sector.
        """
        how = {"shape": asdict(shape), "stored_frames": stored_frames}
        header, frames = self._ask({"do": "dicom" if dicom else "store", "path": str(path), **how})
        return _info(header), frames

    @property
    def pid(self) -> int | None:
        """The child's number; None where there is none at the moment."""
        return self._child.pid

    def close(self) -> None:
        """End the child."""
        self._child.close()

    def __enter__(self) -> "ChildDecoder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def _ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        request |= {"backend": self.backend, "limits": asdict(self.limits), "device": self.device}
        with suppress(ChildDiedError):
            return self._try(request)
        try:
            return self._try(request)
        except ChildDiedError as error:
            raise VideoTimeout("the decoder died on it, twice") from error

    def _try(self, request: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        """Ask a child once."""
        try:
            header, data = self._child.fetch(request, deadline_s=self.limits.deadline_s)
        except ChildDiedError:
            self.deaths += 1
            raise
        except ChildLateError as error:
            raise VideoTimeout(
                f"not decoded within {self.limits.deadline_s:g} s; raise data.limits.deadline_s"
            ) from error
        if "error" in header:
            if header["error"] == "IndexError":
                raise IndexError(header["message"])
            if header["error"] == SetupError.__name__:
                raise SetupError(header["message"])
            raise VIDEO_ERRORS.get(header["error"], VideoCorrupt)(header["message"])
        return header, np.frombuffer(data, np.uint8).reshape(header["shape"]) if data else None


def _info(header: dict[str, Any]) -> VideoInfo:
    times = header["times_ms"]
    return VideoInfo(
        header["frames"], header["height"], header["width"], None if times is None else tuple(times)
    )
