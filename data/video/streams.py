"""Which stream of a container is the video."""

from typing import Any

import av

from cinelex.data.video.decode import VideoUnsupported

DEPENDENT = 1 << 19
"""FFmpeg's mark of a stream that is a part of another, such as a tile of a HEIC picture."""


def video_stream(container: Any) -> Any:
    """Return the video stream: no cover picture, and not the still beside an animation.

    Raises:
        UserError: There is none, nothing decodes it, or it is one tile of several.
    """
    cover = av.stream.Disposition.attached_pic
    found = [stream for stream in container.streams.video if not stream.disposition & cover]
    if not found:
        raise VideoUnsupported("it holds no video stream")
    # an animated AVIF has its first frame as a picture too, ahead of the frames
    moving = [stream for stream in found if stream.frames > 1]
    chosen = moving[0] if moving and found[0].frames == 1 else found[0]
    if int(chosen.disposition) & DEPENDENT:
        raise VideoUnsupported("it is a picture in tiles, which is not read; convert it to PNG")
    if chosen.codec_context is None:
        raise VideoUnsupported("no decoder for its codec")
    return chosen
