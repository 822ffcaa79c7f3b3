"""Decoding with decord, in this process; `decoders` has the one that can be killed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from cinelex.core.extras import how_to_install
from cinelex.data.video.agreement import refuse_other_pixels
from cinelex.data.video.decode import (
    Choose,
    Keep,
    Limits,
    SetupError,
    VideoInfo,
    VideoUnsupported,
)
from cinelex.data.video.decode_pyav import PyAVDecoder, itself
from cinelex.data.video.sniff import picture_format


@dataclass(frozen=True)
class DecordHere:
    """Decodes with decord, which can hang with the interpreter's lock held.

    What the file is, and how many frames it truly has, is asked of PyAV first: decord counts
    packets, repeats frames where it meets damage, and does not tell.
    """

    limits: Limits = Limits()
    device: str = "cpu"

    def probe(self, path: Path) -> VideoInfo:
        """Return the true number and size of the frames, which decord must agree with."""
        info, first = PyAVDecoder(self.limits).read_chosen(path, lambda _: (0,), itself)
        refuse_other_pixels("decord", self._frames(path, info, (0,))[0], first[0])
        return info

    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "frame row column 3"]:
        """Return the frames at ``indices`` as RGB; see ``Decoder.read``."""
        info = self.probe(path)
        outside = [index for index in indices if not 0 <= index < info.frames]
        if outside:
            raise IndexError(f"frame {outside[0]} of a video of {info.frames}")
        kept = self._frames(path, info, indices)
        if not indices:
            return np.empty((0, info.height, info.width, 3), np.uint8)
        return np.stack([kept[index] for index in indices])

    def read_chosen(
        self, path: Path, choose: Choose, keep: Keep
    ) -> tuple[VideoInfo, UInt8[np.ndarray, "frame row column channel"]]:
        """Return what ``keep`` makes of the frames that ``choose`` names, given their number."""
        info = self.probe(path)
        chosen = choose(info.frames)
        kept = self._frames(path, info, chosen)
        return info, np.stack([keep(kept[index]) for index in chosen])

    def _frames(
        self, path: Path, info: VideoInfo, wanted: Sequence[int]
    ) -> dict[int, UInt8[np.ndarray, "row column 3"]]:
        if picture_format(path) is None:
            return self._sweep(path, info, wanted)
        # decord takes the name of a picture as a pattern of further files
        return dict(zip(wanted, PyAVDecoder(self.limits).read(path, wanted), strict=True))

    def _sweep(
        self, path: Path, info: VideoInfo, wanted: Sequence[int]
    ) -> dict[int, UInt8[np.ndarray, "row column 3"]]:
        decord = _library()
        wanted_set = frozenset(wanted)
        kept: dict[int, UInt8[np.ndarray, "row column 3"]] = {}
        try:
            reader = decord.VideoReader(str(path), ctx=decord.cpu(0), num_threads=1)
            if len(reader) != info.frames:
                raise VideoUnsupported(f"decord counts {len(reader)} of its {info.frames} frames")
            for index in range(max(wanted_set, default=-1) + 1):
                frame = reader.next()
                if index in wanted_set:
                    kept[index] = frame.asnumpy()
        except decord.DECORDError as error:
            if "cannot find video stream" in str(error):
                raise VideoUnsupported("decord has no decoder for its codec") from error
            # PyAV has decoded all of it: the file is sound
            raise VideoUnsupported("decord does not decode it") from error
        for frame in kept.values():
            # Of frames under 32 columns decord may return the padding as further channels.
            if frame.shape != (info.height, info.width, 3):
                raise VideoUnsupported(f"decord reads frames of shape {frame.shape}")
        return kept


def _library() -> Any:
    """Return decord.

    Raises:
        SetupError: It is not installed.
    """
    try:
        import decord  # deferred: it is missing on some systems, where PyAV is all there is
    except ModuleNotFoundError:
        raise SetupError(f"data.decoder: {how_to_install('decord')}") from None
    return decord
