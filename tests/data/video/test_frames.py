"""Which frames make a clip."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinelex.data.video.frames import frame_indices
from cinelex.data.video.sampling import Sampling

NUMBERS = st.integers(1, 500)
DRAWS = st.floats(0, 1, exclude_max=True)


def test_evaluation_takes_the_centres_of_equal_segments() -> None:
    assert frame_indices(16, frames=4, draw=None) == [2, 6, 10, 14]
    assert frame_indices(9, frames=3, draw=None) == [1, 4, 7]


def test_a_draw_is_a_place_in_every_segment() -> None:
    assert frame_indices(16, frames=4, draw=0.0) == [0, 4, 8, 12]
    assert frame_indices(16, frames=4, draw=0.99) == [3, 7, 11, 15]


def test_a_short_video_repeats_each_frame_in_place() -> None:
    assert frame_indices(2, frames=4, draw=None) == [0, 0, 1, 1]
    assert frame_indices(1, frames=3, draw=0.5) == [0, 0, 0]
    assert Sampling(frames=4).repeats(3, None)
    assert not Sampling(frames=4).repeats(4, None)


@given(total=NUMBERS, frames=NUMBERS, draw=st.none() | DRAWS)
def test_indices_are_inside_in_order_and_distinct_where_there_are_enough(
    total: int, frames: int, draw: float | None
) -> None:
    indices = frame_indices(total, frames=frames, draw=draw)
    assert len(indices) == frames
    assert indices == sorted(indices)
    assert indices[0] >= 0
    assert indices[-1] < total
    assert len(set(indices)) == min(total, frames)


@given(total=NUMBERS, draw=st.none() | DRAWS)
def test_as_many_frames_as_there_are_means_all_of_them(total: int, draw: float | None) -> None:
    assert frame_indices(total, frames=total, draw=draw) == list(range(total))


@pytest.mark.parametrize(("total", "frames", "draw"), [(0, 1, None), (1, 0, None), (4, 2, 1.0)])
def test_impossible_clips_are_refused(total: int, frames: int, draw: float | None) -> None:
    with pytest.raises(ValueError, match="must be"):
        frame_indices(total, frames=frames, draw=draw)
