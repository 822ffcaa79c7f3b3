"""The decoders that run inside a process, by name."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from cinelex.data.video.decode import BackendName, Choose, Decoder, Keep, Limits, VideoInfo
from cinelex.data.video.decode_decord import DecordHere
from cinelex.data.video.decode_pyav import PyAVDecoder
from cinelex.data.video.decode_torchcodec import TorchCodecHere


@runtime_checkable
class Backend(Decoder, Protocol):
    """A decoder that can also choose frames once it knows how many there are."""

    def read_chosen(
        self, path: Path, choose: Choose, keep: Keep
    ) -> tuple[VideoInfo, UInt8[np.ndarray, "frame row column channel"]]:
        """Return what ``keep`` makes of the frames that ``choose`` names, given their number."""


BACKENDS: dict[BackendName, Callable[[Limits, str], Backend]] = {
    "pyav": PyAVDecoder,
    "decord": DecordHere,
    "torchcodec": TorchCodecHere,
}
