"""Decoding with torchcodec, in this process; `decoders` has the one that can be killed."""

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

NO_FFMPEG = (
    "data.decoder: torchcodec loads none of FFmpeg's shared libraries on this machine; install "
    "FFmpeg (on Debian: apt-get install ffmpeg), or set data.decoder=pyav"
)


@dataclass(frozen=True)
class TorchCodecHere:
    """Decodes with torchcodec, on the CPU or a GPU, through the FFmpeg that the machine has.

    What the file is, how many frames it truly has and when each is shown is asked of PyAV first;
    torchcodec must agree on the number and the size.
    """

    limits: Limits = Limits()
    device: str = "cpu"

    def probe(self, path: Path) -> VideoInfo:
        """Return the true number and size of the frames, which torchcodec must agree with."""
        info, first = PyAVDecoder(self.limits).read_chosen(path, lambda _: (0,), itself)
        refuse_other_pixels("torchcodec", self._frames(path, info, [0])[0], first[0])
        return info

    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "frame row column 3"]:
        """Return the frames at ``indices`` as RGB; see ``Decoder.read``."""
        info = self.probe(path)
        outside = [index for index in indices if not 0 <= index < info.frames]
        if outside:
            raise IndexError(f"frame {outside[0]} of a video of {info.frames}")
        if not indices:
            return np.empty((0, info.height, info.width, 3), np.uint8)
        return self._frames(path, info, indices)

    def read_chosen(
        self, path: Path, choose: Choose, keep: Keep
    ) -> tuple[VideoInfo, UInt8[np.ndarray, "frame row column channel"]]:
        """Return what ``keep`` makes of the frames that ``choose`` names, given their number."""
        info = self.probe(path)
        frames = self._frames(path, info, choose(info.frames))
        return info, np.stack([keep(frame) for frame in frames])

    def _frames(
        self, path: Path, info: VideoInfo, wanted: Sequence[int]
    ) -> UInt8[np.ndarray, "frame row column 3"]:
        if picture_format(path) is not None:
            return PyAVDecoder(self.limits).read(path, wanted)
        decoders = _library()
        try:
            decoder = decoders.VideoDecoder(
                str(path), dimension_order="NHWC", device=self.device, num_ffmpeg_threads=1
            )
            count = len(decoder)
            frames = decoder.get_frames_at([n for n in wanted if n < count]).data.cpu().numpy()
        except (RuntimeError, ValueError, IndexError) as error:
            raise VideoUnsupported("torchcodec does not decode it") from error
        if count != info.frames:
            raise VideoUnsupported(f"torchcodec counts {count} of its {info.frames} frames")
        if frames.shape[1:] != (info.height, info.width, 3):
            raise VideoUnsupported(f"torchcodec reads frames of shape {frames.shape[1:]}")
        return frames


def _library() -> Any:
    """Return torchcodec.

    Raises:
        SetupError: It is not installed, or does not find FFmpeg's libraries.
    """
    try:
        import torchcodec  # here, because it needs FFmpeg's libraries
    except ModuleNotFoundError:
        raise SetupError(f"data.decoder: {how_to_install('torchcodec')}") from None
    except (ImportError, RuntimeError, OSError) as error:
        raise SetupError(NO_FFMPEG) from error
    # until 0.16 the import fails without FFmpeg; since then there is no version, and decoders fail
    if getattr(torchcodec, "ffmpeg_major_version", "unsaid") is None:
        raise SetupError(NO_FFMPEG)
    return torchcodec.decoders
