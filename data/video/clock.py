"""Frames and seconds counted against the limits of a decoder."""

import time

from cinelex.data.video.decode import Limits, VideoTimeout, VideoTooLarge


class Clock:
    """Starts when it is made."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.start = time.monotonic()

    def check(self, frames: int) -> None:
        """Refuse to go on beyond a limit.

        Raises:
            VideoTooLarge: There are more frames.
            VideoTimeout: It takes longer.
        """
        if frames > self.limits.max_frames:
            raise VideoTooLarge(
                f"more than {self.limits.max_frames} frames; raise data.limits.max_frames"
            )
        if time.monotonic() - self.start > self.limits.deadline_s:
            raise VideoTimeout(
                f"not decoded within {self.limits.deadline_s:g} s; raise data.limits.deadline_s"
            )


def check_size(width: int, height: int, frames: int, limits: Limits) -> None:
    """Refuse what a file promises before anything is allocated for it.

    Raises:
        VideoTooLarge: The frames are too large, or too many.
    """
    if width * height > limits.max_pixels:
        raise VideoTooLarge(
            f"frames of {width}x{height} pixels; the limit is {limits.max_pixels}; "
            "raise data.limits.max_pixels"
        )
    if frames > limits.max_frames:
        raise VideoTooLarge(
            f"about {frames} frames; the limit is {limits.max_frames}; raise data.limits.max_frames"
        )
