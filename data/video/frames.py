"""Which frames of a video a clip shows."""


def frame_indices(total: int, *, frames: int, draw: float | None) -> list[int]:
    """Return which of ``total`` frames make a clip of ``frames``, in order.

    The video is cut into ``frames`` equal segments and one frame is taken from each, at the same
    share of every segment: at its centre for evaluation (``draw`` None), else at the share
    ``draw``. All indices differ where ``total >= frames``. A shorter video has its frames repeated
    in place, each ``frames / total`` times to rounding.

    Args:
        total: Frames the video has, at least 1.
        frames: Frames of the clip, at least 1.
        draw: Share of a segment in [0, 1); from a key, so that the same clip gets the same frames.

    Raises:
        ValueError: A number is out of its range.
    """
    if total < 1 or frames < 1:
        raise ValueError(f"a clip of {frames} frames cannot be cut from {total}; both must be >= 1")
    if draw is not None and not 0 <= draw < 1:
        raise ValueError(f"draw must be in [0, 1), got {draw}")
    # Whole numbers only: in floating point the last segment could round past the end.
    offset = total // 2 if draw is None else min(int(draw * total), total - 1)
    return [(segment * total + offset) // frames for segment in range(frames)]


def evenly_spaced(total: int, most: int | None) -> list[int]:
    """Return at most ``most`` of ``total`` frames: all, or the centres of equal segments."""
    kept = total if most is None else min(total, most)
    return frame_indices(total, frames=kept, draw=None)
