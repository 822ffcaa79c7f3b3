"""Ways take turns, ratios are those of each round, and a row says whether its goal is met."""

from collections.abc import Iterator

import pytest

from benchmarks import series
from benchmarks.series import Ratio, Row, line, ratio_of, take_turns


def row(*, goal: float = 0.6, less: bool = True) -> Row:
    return Row(
        number="P4",
        what="a loss",
        figure="1 s",
        beside="a peer 2 s",
        ratio=Ratio(0.5, 0.4, 0.7),
        goal=goal,
        less=less,
    )


def test_every_other_round_runs_backwards_and_the_first_is_not_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock: Iterator[float] = iter(range(100))
    monkeypatch.setattr(series, "process_time", lambda: next(clock))
    called: list[str] = []
    ways = {"a": lambda: called.append("a"), "b": lambda: called.append("b")}
    taken = take_turns(ways, rounds=2)
    assert "".join(called) == "baabba"
    assert {name: len(values) for name, values in taken.items()} == {"a": 2, "b": 2}


def test_the_ratio_is_the_median_of_the_rounds_ratios() -> None:
    taken = {"ours": [1.0, 9.0, 2.0], "peer": [2.0, 3.0, 2.0]}
    assert ratio_of(taken, "ours", "peer") == Ratio(1.0, 0.5, 3.0)


def test_a_goal_is_met_on_the_side_that_is_better() -> None:
    assert row().met
    assert not row(goal=0.45).met
    assert row(goal=0.45, less=False).met


def test_a_line_holds_the_spread_and_the_verdict() -> None:
    assert line(row(goal=0.1)).endswith("| 0.50 (0.40–0.70) | ≤ 0.1: **missed** |")
