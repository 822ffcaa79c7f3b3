"""How clips are cut from a video: from its segments, or from its time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cinelex.core.errors import UserError
from cinelex.data.video.frames import frame_indices


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Clips of a number of frames."""

    frames: int
    seconds: float | None = None
    """What a clip spans; None spans the video, one frame of each of its equal segments."""
    train_clips: int = 1
    """Clips of a video in training."""
    evaluation_clips: int = 1
    """Clips of a video in evaluation, evenly spread."""
    draws: int | None = None
    """Places from which training cuts, evenly spread; None is any."""

    def clips(self, *, training: bool) -> int:
        """Return how many clips a video gives."""
        return self.train_clips if training else self.evaluation_clips

    def indices(
        self, total: int, times_ms: Sequence[float] | np.ndarray | None, *, draw: float | None
    ) -> list[int]:
        """Return which of ``total`` frames make a clip, in order.

        Args:
            total: Frames the video has.
            times_ms: When each is shown.
            draw: In [0, 1): the place in every segment, or of the clip in the video; None is the
                middle.

        Raises:
            UserError: The clip is to span seconds, and nobody knows when the frames are shown.
        """
        if self.seconds is None:
            return frame_indices(total, frames=self.frames, draw=draw)
        if total == 1:
            return [0] * self.frames
        if times_ms is None:
            raise UserError(
                "this video has no frame times, which data.sampling.kind=time needs; set "
                "data.sampling.kind=segments, or leave the video out"
            )
        return timed_indices(np.asarray(times_ms), self.frames, self.seconds, draw)

    def training_draw(self, key: int) -> float:
        """Return where training cuts the clip of a key, as ``indices`` takes it."""
        share = (key >> 10) / 2**53
        return share if self.draws is None else self._draws()[int(share * self.draws)]

    def possible(
        self, total: int, times_ms: Sequence[float] | np.ndarray | None
    ) -> list[list[int]] | None:
        """Return all clips that training may cut, each once; None where nobody can list them.

        Arguments are those of ``indices``.
        """
        if self.draws is None and self.seconds is not None and total > 1:
            return None
        # without a number of places, the frames themselves are as many
        draws = self._draws() or [(place + 0.5) / total for place in range(total)]
        found = {tuple(self.indices(total, times_ms, draw=draw)) for draw in draws}
        return [list(indices) for indices in sorted(found)]

    def _draws(self) -> list[float]:
        return [(place + 0.5) / self.draws for place in range(self.draws)] if self.draws else []

    def draw_of(self, clip: int) -> float | None:
        """Return where evaluation cuts a clip; of several, each from the middle of its share."""
        count = self.evaluation_clips
        return None if count == 1 else (2 * clip + 1) / (2 * count)

    def span_s(self, times_ms: Sequence[float] | np.ndarray) -> float:
        """Return how much time a clip of a video shows, in seconds."""
        length = length_ms(np.asarray(times_ms)) / 1000
        return length if self.seconds is None else min(self.seconds, length)

    def repeats(self, total: int, times_ms: Sequence[float] | np.ndarray | None) -> bool:
        """Return whether the clip from the middle of a video shows a frame twice."""
        if self.seconds is not None and times_ms is None and total > 1:
            return False
        return len(set(self.indices(total, times_ms, draw=None))) < self.frames


def timed_indices(
    times_ms: np.ndarray, frames: int, seconds: float, draw: float | None
) -> list[int]:
    """Return the frames that are on the screen at evenly spaced moments.

    The clip's ``seconds`` are cut into ``frames`` equal parts, and the frame that is shown in the
    middle of each is taken, as a player would show it: a frame stays until the next one comes, so
    that any frame times are read as they are. A video that is shorter than the clip stands still at
    its last frame.

    Args:
        times_ms: When each frame is shown, rising.
        frames: Of the clip.
        seconds: That the clip spans.
        draw: Share in [0, 1) of the room that a clip has in the video; None is the middle.
    """
    span = 1000 * seconds
    room = max(0.0, length_ms(times_ms) - span)
    start = times_ms[0] + room * (0.5 if draw is None else draw)
    moments = start + span * (np.arange(frames) + 0.5) / frames
    # a moment that rounding puts just before a frame belongs to that frame
    shown = np.searchsorted(times_ms, moments + 1e-6, side="right") - 1
    return shown.clip(0, len(times_ms) - 1).tolist()


def length_ms(times_ms: np.ndarray) -> float:
    """Return how long a video is shown; its last frame as long as the others, in the median."""
    if len(times_ms) < 2:
        return 0.0
    gaps = np.diff(times_ms)
    return float(gaps.sum() + np.median(gaps))
