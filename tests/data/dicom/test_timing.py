"""When frames were taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from cinelex.data.dicom.timing import frame_times


def header(**elements: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def test_a_frame_time_makes_equal_steps() -> None:
    assert frame_times(header(FrameTime="33.5"), 3) == ((0, 33.5, 67), "FrameTime", False)


def test_a_vector_is_summed_and_its_first_value_counts_nothing() -> None:
    times = frame_times(header(FrameTimeVector=["0", "30", "50"]), 3)
    assert times == ((0, 30, 80), "FrameTimeVector", False)
    times = frame_times(header(FrameTimeVector=["40", "30", "50"]), 3)
    assert times[0] == (0, 30, 80)


def test_a_vector_without_the_first_value_is_read_too() -> None:
    assert frame_times(header(FrameTimeVector=["30", "50"]), 3)[0] == (0, 30, 80)


def test_the_vector_that_the_increment_pointer_names_comes_first() -> None:
    both = {"FrameTime": "40", "FrameTimeVector": ["0", "30", "50"]}
    assert frame_times(header(**both), 3)[1] == "FrameTime"
    pointed = frame_times(header(**both, FrameIncrementPointer=0x00181065), 3)
    assert pointed[1] == "FrameTimeVector"


def test_rates_are_taken_in_order() -> None:
    both = header(CineRate="25", RecommendedDisplayFrameRate="10")
    assert frame_times(both, 3) == ((0, 40, 80), "CineRate", True)
    alone = header(RecommendedDisplayFrameRate="10")
    assert frame_times(alone, 3) == ((0, 100, 200), "RecommendedDisplayFrameRate", False)


@pytest.mark.parametrize(
    ("frame_time", "rate", "conflict"),
    [("30", "33", False), ("34.99", "28", False), ("33.333", "15", True), ("10", "99", False)],
)
def test_a_whole_number_of_frames_a_second_agrees_to_rounding(
    frame_time: str, rate: str, conflict: bool
) -> None:
    assert frame_times(header(FrameTime=frame_time, CineRate=rate), 5)[2] is conflict


@pytest.mark.parametrize(
    "elements",
    [
        {},
        {"FrameTime": "0"},
        {"FrameTime": "-5"},
        {"FrameTime": "0.033"},
        {"CineRate": "0"},
        {"FrameTimeVector": ["0", "30"]},
        {"FrameTimeVector": ["0", "30", "0"]},
    ],
)
def test_what_says_nothing_leaves_times_unknown(elements: dict[str, object]) -> None:
    frames = 4 if len(elements.get("FrameTimeVector", [])) == 2 else 3  # type: ignore[arg-type]
    assert frame_times(header(**elements), frames) == (None, None, False)


def test_functional_groups_give_the_moment_of_each_frame() -> None:
    groups = []
    for second in ("00.000", "00.040", "00.100"):
        content, group = Dataset(), Dataset()
        content.FrameAcquisitionDateTime = f"202001011010{second}"
        group.FrameContentSequence = [content]
        groups.append(group)
    times = frame_times(header(PerFrameFunctionalGroupsSequence=groups), 3)
    assert times == ((0, 40, 100), "FunctionalGroups", False)


@given(st.lists(st.floats(1, 1000), min_size=1, max_size=30))
def test_steps_of_a_vector_are_the_differences_of_the_times(steps: list[float]) -> None:
    written = [f"{step:.6g}" for step in steps]
    times, _, _ = frame_times(header(FrameTimeVector=["0", *written]), len(steps) + 1)
    assert times is not None
    differences = [after - before for before, after in zip(times, times[1:], strict=False)]
    assert differences == pytest.approx([float(step) for step in written], rel=1e-6)
