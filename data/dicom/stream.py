"""MPEG-2, H.264 and HEVC inside DICOM, through FFmpeg; nothing else goes there."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from jaxtyping import UInt8

from cinelex.data.dicom.codecs import VIDEO
from cinelex.data.dicom.errors import DicomError
from cinelex.data.dicom.layout import Layout

CONTAINERS = (
    (b"\x47", "mpegts"),
    (b"\0\0\1\xba", "mpeg"),
    (b"\0\0\1\xb3", "mpegvideo"),
)
"""How a transport stream, a program stream and a bare MPEG video begin."""


def stream_frames(data: bytes, layout: Layout) -> Iterator[UInt8[np.ndarray, "row column 3"]]:
    """Yield every frame of a stream as RGB, by the stream's own matrix and range.

    Raises:
        DicomError: It is corrupt, or its frames have another size than the header states.
    """
    try:
        with av.open(BytesIO(data), "r", format=_container(data, layout)) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            pixels = 2 * layout.rows * layout.columns + (1 << 16)
            stream.codec_context.options = {"max_pixels": str(pixels)}
            reformatter = VideoReformatter()
            for frame in container.decode(stream):
                yield _rgb(frame, layout, reformatter)
    except (av.error.FFmpegError, IndexError):
        raise DicomError("corrupt_pixels") from None


def _container(data: bytes, layout: Layout) -> str | None:
    """Return FFmpeg's name of the container, by how it begins; MP4 tells itself by its boxes."""
    if data[4:8] == b"ftyp":
        return "mov"
    known = next((name for begins, name in CONTAINERS if data.startswith(begins)), None)
    codec = VIDEO[layout.transfer_syntax]
    return known or ("mpegvideo" if codec == "mpeg" else codec)


def _rgb(
    frame: Any, layout: Layout, reformatter: VideoReformatter
) -> UInt8[np.ndarray, "row column 3"]:
    if frame.is_corrupt:
        raise DicomError("corrupt_pixels")
    if (frame.height, frame.width) != (layout.rows, layout.columns):
        raise DicomError("frame_shape")
    # one thread, for starting several costs more; chroma is repeated, as in other videos
    converted = reformatter.reformat(frame, format="rgb24", interpolation="POINT", threads=1)
    return converted.to_ndarray()
