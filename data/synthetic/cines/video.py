"""Write grey cines as H.264 files, and read them back."""

import io
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
from jaxtyping import UInt8

FRAMES_PER_S: Final = 15
OPTIONS: Final = {
    "preset": "ultrafast",
    "crf": "18",
    "x264-params": "bframes=0:scenecut=0:rc-lookahead=0:sync-lookahead=0:keyint=250",
}


@dataclass(frozen=True)
class Encoded:
    """A video file in memory."""

    content: bytes
    """The mp4 file."""
    packets: list[bytes]
    """The H.264 packets in it, one per frame."""
    header: bytes
    """The H.264 parameter sets that a decoder starts from."""


def encode_grey(frames: UInt8[np.ndarray, "frame row column"]) -> Encoded:
    """Return an mp4 file with the frames as H.264 (yuv420p, limited range), 15 per second."""
    import av  # here, because who reads videos that are there does not need it

    count, rows, columns = frames.shape
    target = io.BytesIO()
    picture = np.full((rows * 3 // 2, columns), 128, dtype=np.uint8)
    packets: list[bytes] = []
    levels = (16 + np.arange(256) * (219 / 255) + 0.5).astype(np.uint8)
    luma = levels[frames]
    with av.open(target, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(FRAMES_PER_S))
        stream.width, stream.height, stream.pix_fmt = columns, rows, "yuv420p"
        stream.thread_count = 1
        stream.options = dict(OPTIONS)
        for number in range(count):
            picture[:rows] = luma[number]
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            packets += _mux(container, stream.encode(frame))
        packets += _mux(container, stream.encode(None))
        header = bytes(stream.codec_context.extradata or b"")
    return Encoded(target.getvalue(), packets, header)


def _mux(container: Any, made: list[Any]) -> list[bytes]:
    """Write packets into the file and return copies of them."""
    copies = [bytes(packet) for packet in made]
    container.mux(made)
    return copies


def decode_grey(encoded: Encoded) -> UInt8[np.ndarray, "frame row column"]:
    """Return what any decoder finds in the file, as 256 grey levels.

    Reads the packets beside the container, because opening that takes longer than decoding.
    """
    import av

    decoder: Any = av.CodecContext.create("h264", "r")
    decoder.extradata = encoded.header
    decoder.thread_count = 1
    pictures = [picture for data in encoded.packets for picture in decoder.decode(av.Packet(data))]
    frames = []
    for picture in [*pictures, *decoder.decode(None)]:
        plane = picture.planes[0]
        luma = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(-1, plane.line_size)
        frames.append(luma[: picture.height, : picture.width])
    grey = (np.arange(256) - 16) * (255 / 219) + 0.5
    return np.clip(grey, 0, 255).astype(np.uint8)[np.stack(frames)]


def spoil(content: bytes, generator: np.random.Generator) -> bytes:
    """Return what a broken file holds: nothing, a torn start, garbage, or a text."""
    kind = int(generator.integers(4))
    if kind == 0:
        return b""
    if kind == 1:
        return content[: len(content) // 3]
    if kind == 2:
        return generator.integers(0, 256, size=len(content), dtype=np.uint8).tobytes()
    return b"This is a text, not a video.\n"
