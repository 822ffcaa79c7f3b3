"""Decoders that run in a child process with a deadline."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from cinelex.core.processes import child_environment
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


class DecoderDiedError(Exception):
    """A child ended before it answered."""


START_S = 60.0
"""Seconds that a child may take to start, on top of its first video's."""


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
        self._child: subprocess.Popen[bytes] | None = None

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
        self, path: Path, *, shape: Shape, stored_frames: int | None
    ) -> tuple[VideoInfo, UInt8[np.ndarray, "frame row column channel"]]:
        """Return what the video is, and its frames as they are stored; see ``evenly_spaced``."""
        how = {"shape": asdict(shape), "stored_frames": stored_frames}
        header, frames = self._ask({"do": "store", "path": str(path), **how})
        return _info(header), frames

    @property
    def pid(self) -> int | None:
        """The child's number; None where there is none at the moment."""
        return None if self._child is None else self._child.pid

    def close(self) -> None:
        """End the child."""
        if self._child is None:
            return
        self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                # what a dead child has not read cannot be flushed
                with suppress(BrokenPipeError):
                    pipe.close()
        self._child = None

    def __enter__(self) -> "ChildDecoder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def _ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        request |= {"backend": self.backend, "limits": asdict(self.limits), "device": self.device}
        with suppress(DecoderDiedError):
            return self._try(request)
        try:
            return self._try(request)
        except DecoderDiedError as error:
            raise VideoTimeout("the decoder died on it, twice") from error

    def _try(self, request: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        """Ask a child once."""
        deadline = time.monotonic() + self.limits.deadline_s
        if self._child is None or self._child.poll() is not None:
            self.close()
            self._child = _start()
            deadline += START_S
        try:
            return self._exchange(self._child, json.dumps(request).encode(), deadline)
        except (BrokenPipeError, EOFError) as error:
            self.close()
            self.deaths += 1
            raise DecoderDiedError from error
        except TimeoutError as error:
            self.close()
            raise VideoTimeout(
                f"not decoded within {self.limits.deadline_s:g} s; raise data.limits.deadline_s"
            ) from error

    def _exchange(
        self, child: "subprocess.Popen[bytes]", text: bytes, deadline: float
    ) -> tuple[dict[str, Any], Any]:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(len(text).to_bytes(8, "big") + text)
        child.stdin.flush()
        pipe = child.stdout.fileno()
        length = int.from_bytes(_receive(pipe, 8, deadline), "big")
        header = json.loads(bytes(_receive(pipe, length, deadline)))
        if "error" in header:
            if header["error"] == "IndexError":
                raise IndexError(header["message"])
            if header["error"] == SetupError.__name__:
                raise SetupError(header["message"])
            raise VIDEO_ERRORS.get(header["error"], VideoCorrupt)(header["message"])
        data = _receive(pipe, header["bytes"], deadline)
        frames = np.frombuffer(data, np.uint8).reshape(header["shape"]) if data else None
        return header, frames


def _info(header: dict[str, Any]) -> VideoInfo:
    times = header["times_ms"]
    return VideoInfo(
        header["frames"], header["height"], header["width"], None if times is None else tuple(times)
    )


def _start() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "cinelex.data.video.decode_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=child_environment(),
        process_group=0,  # Ctrl-C is for the parent, which ends this
    )


def _receive(pipe: int, count: int, deadline: float) -> bytearray:
    """Read exactly ``count`` bytes before the deadline."""
    data = bytearray(count)
    view = memoryview(data)
    done = 0
    while done < count:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            raise TimeoutError
        read = os.readv(pipe, [view[done:]])
        if read == 0:
            raise EOFError
        done += read
    return data
