"""The decoder as a process of its own, which can be killed; see ``core.children``."""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from cinelex.core.serving import Answer, serve
from cinelex.data.video.backends import BACKENDS, Backend
from cinelex.data.video.decode import (
    NO_FILE,
    Limits,
    SetupError,
    VideoError,
    VideoInfo,
    VideoMissing,
    VideoUnreadable,
)
from cinelex.data.video.frames import evenly_spaced
from cinelex.data.video.resize import Shape, reshape_frame

Frames = UInt8[np.ndarray, "frame row column channel"]


def answer(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return the answer to one request, and the bytes that follow it."""
    path = Path(request["path"])
    try:
        if request["do"] == "hash":
            return {"content": _content(path), "shape": [], "bytes": 0}, b""
        decoder = BACKENDS[request["backend"]](Limits(**request["limits"]), request["device"])
        info, frames = _carry_out(decoder, path, request)
    except (VideoError, MemoryError, IndexError, SetupError) as error:
        return {"error": type(error).__name__, "message": str(error)}, b""
    header: dict[str, Any] = asdict(info)
    data = b"" if frames is None else frames.tobytes()
    header |= {"shape": list(frames.shape) if frames is not None else [], "bytes": len(data)}
    return header, data


def _content(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises:
        VideoMissing: It is gone.
        VideoUnreadable: The file system refuses to read it.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        if error.errno in NO_FILE:
            raise VideoMissing("there is no such file") from error
        raise VideoUnreadable(f"the file system says {error.strerror}") from error


def _carry_out(
    decoder: Backend, path: Path, request: dict[str, Any]
) -> tuple[VideoInfo, Frames | None]:
    if request["do"] == "probe":
        return decoder.probe(path), None
    if request["do"] == "read":
        frames = decoder.read(path, request["indices"])
        return VideoInfo(len(frames), frames.shape[1], frames.shape[2]), frames
    shape = Shape(**request["shape"])
    stored = request["stored_frames"]
    read = decoder.read_chosen
    if request["do"] == "dicom":
        # here, because videos need none of it
        from cinelex.data.dicom.backend import read_dicom as read
    return read(
        path,
        choose=lambda total: evenly_spaced(total, stored),
        keep=lambda frame: reshape_frame(frame, shape=shape),
    )


def answers_to(request: dict[str, Any]) -> Iterator[Answer]:
    """Yield the one answer to a request."""
    yield answer(request)


if __name__ == "__main__":
    serve(answers_to)
