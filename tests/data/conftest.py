"""Small videos written by the tests, and a small made-up hospital."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

WriteVideo = Callable[..., Path]


def write(
    path: Path,
    pixels: np.ndarray,
    *,
    codec: str = "libx264",
    pix_fmt: str = "yuv444p",
    stamps: list[int] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Write RGB frames "frame row column 3", losslessly unless told otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=25)
        stream.height, stream.width = pixels.shape[1:3]
        stream.pix_fmt = pix_fmt
        stream.options = {"qp": "0"} if options is None else options
        stream.codec_context.time_base = Fraction(1, 25)
        for place, picture in enumerate(pixels):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts = place if stamps is None else stamps[place]
            frame.time_base = Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def gray_steps(frames: int, *, rows: int = 16, columns: int = 16, start: int = 20) -> np.ndarray:
    """Return even frames, each 10 levels brighter than the one before it."""
    levels = start + 10 * np.arange(frames)
    shape = (frames, rows, columns, 3)
    return np.broadcast_to(levels[:, None, None, None], shape).astype(np.uint8)


@pytest.fixture(scope="session")
def write_video() -> WriteVideo:
    return write


@pytest.fixture(scope="session")
def steps() -> Callable[..., np.ndarray]:
    return gray_steps


@pytest.fixture(scope="session")
def hospital(shared: Path) -> Path:
    """A small made-up hospital; nobody changes it."""
    # imported here, so that tests of videos do not wait for what reads DICOM
    from cinelex.data.synthetic.hospital.make import make_hospital
    from cinelex.data.synthetic.hospital.settings import TINY

    return make_hospital(TINY, shared / "hospitals", processes=1)
