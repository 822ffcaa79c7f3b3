"""Clips by time: the frames that a player would show."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinelex.core.errors import UserError
from cinelex.data.video.sampling import Sampling, length_ms, timed_indices

FIFTEEN = np.arange(30) * 1000 / 15
UNEVEN = np.array([0.0, 10, 20, 500, 510, 900])


def test_a_clip_at_the_videos_own_rate_shows_every_frame_once() -> None:
    assert timed_indices(FIFTEEN, 15, 1.0, 0.0) == list(range(15))
    assert timed_indices(FIFTEEN, 30, 2.0, None) == list(range(30))


def test_half_the_rate_shows_every_other_frame_and_twice_the_rate_each_twice() -> None:
    half = timed_indices(FIFTEEN, 15, 2.0, None)
    assert np.diff(half).tolist() == [2] * 14
    assert timed_indices(FIFTEEN, 6, 0.2, 0.0) == [0, 0, 1, 1, 2, 2]


def test_uneven_times_show_what_is_on_the_screen() -> None:
    # moments 50, 150, ... 850 ms: the third frame stands from 20 to 500 ms
    assert timed_indices(UNEVEN, 9, 0.9, 0.0) == [2, 2, 2, 2, 2, 4, 4, 4, 4]


def test_the_place_of_a_clip_is_drawn_or_the_middle() -> None:
    assert timed_indices(FIFTEEN, 3, 0.2, 0.0) == [0, 1, 2]
    assert timed_indices(FIFTEEN, 4, 4 / 15, None) == [13, 14, 15, 16]
    assert timed_indices(FIFTEEN, 3, 0.2, 0.999999)[-1] == 29


def test_a_video_that_is_too_short_stands_still_at_its_end() -> None:
    assert timed_indices(FIFTEEN[:3], 5, 5 / 15, None) == [0, 1, 2, 2, 2]


@given(
    gaps=st.lists(st.floats(0.1, 500), min_size=1, max_size=40),
    frames=st.integers(1, 20),
    seconds=st.floats(0.01, 30),
    draw=st.none() | st.floats(0, 0.999999),
)
def test_indices_never_fall_and_are_always_there(
    gaps: list[float], frames: int, seconds: float, draw: float | None
) -> None:
    times = np.concatenate([[0.0], np.cumsum(gaps)])
    chosen = timed_indices(times, frames, seconds, draw)
    assert len(chosen) == frames
    assert chosen == sorted(chosen)
    assert 0 <= chosen[0] <= chosen[-1] < len(times)


def test_several_clips_of_evaluation_are_evenly_spread() -> None:
    sampling = Sampling(frames=3, seconds=0.2, evaluation_clips=2)
    draws = [sampling.draw_of(clip) for clip in range(2)]
    assert draws == [0.25, 0.75]
    assert Sampling(frames=3).draw_of(0) is None
    assert (sampling.clips(training=True), sampling.clips(training=False)) == (1, 2)


def test_it_is_known_where_a_clip_repeats_frames_and_how_much_it_spans() -> None:
    assert length_ms(FIFTEEN) == pytest.approx(2000)
    assert length_ms(FIFTEEN[:1]) == 0
    in_time = Sampling(frames=20, seconds=1.0)
    assert in_time.repeats(30, FIFTEEN), "20 frames a second of a video of 15"
    assert not Sampling(frames=15, seconds=1.0).repeats(30, FIFTEEN)
    assert Sampling(frames=4).repeats(3, None)
    assert in_time.span_s(FIFTEEN) == 1.0
    assert in_time.span_s(FIFTEEN[:6]) == pytest.approx(0.4)
    assert Sampling(frames=4).span_s(FIFTEEN) == pytest.approx(2)


def test_unknown_times_are_unknown() -> None:
    with pytest.raises(UserError, match=r"no frame times.*kind=segments"):
        Sampling(frames=4, seconds=1.0).indices(9, None, draw=None)
    assert Sampling(frames=4, seconds=1.0).indices(1, None, draw=None) == [0, 0, 0, 0]
    assert Sampling(frames=3).indices(9, None, draw=None) == [1, 4, 7]


def test_all_clips_that_training_may_cut_are_listed() -> None:
    plain = Sampling(frames=2)
    assert plain.possible(4, None) == [[0, 2], [1, 3]]
    assert plain.possible(1, None) == [[0, 0]]
    assert Sampling(frames=2, draws=1).possible(4, None) == [[1, 3]]
    timed = Sampling(frames=2, seconds=0.2)
    assert timed.possible(9, [100.0 * n for n in range(9)]) is None
    draws = Sampling(frames=2, seconds=0.2, draws=2)
    found = draws.possible(4, [100.0 * n for n in range(4)])
    assert found == [[1, 2], [2, 3]]
    cut = {
        tuple(draws.indices(4, [100.0 * n for n in range(4)], draw=draws.training_draw(key)))
        for key in range(0, 2**63, 2**57)
    }
    assert cut == {(1, 2), (2, 3)}
