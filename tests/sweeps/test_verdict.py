"""Statistics of the last comparison: by hand, by closed form, by simulation."""

import math
import statistics
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from cinelex.metrics.seeds import expected_maximum, student_interval
from cinelex.projects.interface.results import Score
from cinelex.sweeps.outcomes import Outcome, best, twins
from cinelex.sweeps.plan import Metric
from cinelex.sweeps.settings import Recipe
from cinelex.sweeps.verdict import compare, not_distinct

RECALL = Metric(name="recall", goal="maximize")
LOSS = Metric(name="loss", goal="minimize")


def outcome(
    number: int = 0,
    recipe: Recipe = "search",
    seed: int | None = None,
    record: str | None = None,
    values: dict[str, float] | None = None,
    **scores: float,
) -> Outcome:
    return Outcome(
        number=number,
        recipe=recipe,
        state="complete",
        values=dict(values or {"key": number}),
        scores={
            name: Score(name=name, label=name, value=value, low=value - 0.05, high=value + 0.05)
            for name, value in scores.items()
        },
        seed=seed,
        runs=[],
        seconds=1.0,
        begun=1,
        curve={},
        record=record,
        error="",
    )


def final(winner: list[float], default: list[float]) -> list[Outcome]:
    won = [outcome(recipe="winner", seed=s, recall=value) for s, value in enumerate(winner)]
    return won + [outcome(recipe="default", seed=s, recall=x) for s, x in enumerate(default)]


def test_the_difference_is_paired_by_seed_and_its_interval_is_students() -> None:
    one = compare(final([0.5, 0.7, 0.6], [0.4, 0.55, 0.52]), RECALL)
    assert one is not None
    assert one.difference.value == pytest.approx(0.11)
    reference = stats.ttest_rel([0.5, 0.7, 0.6], [0.4, 0.55, 0.52]).confidence_interval(0.95)
    assert one.difference.low == pytest.approx(reference.low)
    assert one.difference.high == pytest.approx(reference.high)
    assert one.verdict == "better beyond the noise of seeds"


def test_a_difference_whose_interval_holds_zero_is_not_significant() -> None:
    one = compare(final([0.5, 0.7, 0.6], [0.6, 0.5, 0.55]), RECALL)
    assert one is not None
    assert one.verdict == "inside the noise"


def test_lower_is_better_where_that_is_the_goal() -> None:
    finals = [outcome(recipe="winner", seed=s, loss=1 + s / 10) for s in range(3)]
    finals += [outcome(recipe="default", seed=s, loss=2 + s / 9) for s in range(3)]
    one = compare(finals, LOSS)
    assert one is not None
    assert one.difference.value is not None
    assert one.difference.value < 0
    assert one.verdict == "better beyond the noise of seeds"


def test_one_seed_says_nothing_about_noise() -> None:
    one = compare(final([0.9], [0.1]), RECALL)
    assert one is not None
    assert (one.difference.low, one.difference.high, one.spread) == (None, None, None)
    assert one.verdict == "one seed: cannot tell whether that is noise"


def test_a_seed_without_its_pair_does_not_count() -> None:
    one = compare(final([0.5, 0.6], [0.4]), RECALL)
    assert one is not None
    assert list(one.seeds) == [0]
    assert compare(final([0.5], []), RECALL) is None


def test_the_interval_of_two_values_has_the_quantile_of_one_degree_of_freedom() -> None:
    low, high = student_interval([0.0, 2.0])
    assert low is not None
    assert high is not None
    assert (high - low) / 2 == pytest.approx(math.tan(math.pi * 0.475))  # Cauchy's quantile


def test_the_best_of_equals_is_above_their_mean_by_known_amounts() -> None:
    assert expected_maximum(1) == pytest.approx(0.0, abs=1e-9)
    assert expected_maximum(2) == pytest.approx(1 / math.sqrt(math.pi))
    assert expected_maximum(3) == pytest.approx(1.5 / math.sqrt(math.pi))
    drawn = np.random.default_rng(0).standard_normal((20_000, 12)).max(axis=1)
    assert expected_maximum(12) == pytest.approx(statistics.fmean(drawn.tolist()), abs=0.02)


def test_of_equal_configurations_the_first_is_best() -> None:
    found = [outcome(0, recall=0.5), outcome(1, recall=0.6), outcome(2, recall=0.6)]
    leader = best(found, RECALL)
    assert leader is not None
    assert leader.number == 1


def test_configurations_whose_interval_holds_the_leader_cannot_be_told_from_it() -> None:
    found = [outcome(0, recall=0.5), outcome(1, recall=0.47), outcome(2, recall=0.2)]
    assert [one.number for one in not_distinct(found, replace(found[0]), RECALL)] == [1]


def test_runs_that_recorded_the_same_though_their_values_differ_are_found() -> None:
    found = [
        outcome(0, record="a", values={"key": 1.0}, recall=0.5),
        outcome(1, record="b", values={"key": 2.0}, recall=0.5),
        outcome(2, record="a", values={"key": 3.0}, recall=0.5),
        outcome(3, record="b", values={"key": 2.0}, recall=0.5),
    ]
    assert [(one.number, other.number) for one, other in twins(found)] == [(0, 2)]
