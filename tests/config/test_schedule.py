"""A schedule is a function of the optimizer step with known values at known steps."""

import math

import pytest

from cinelex.config.schedule import learning_rate, schedule_table, value_at
from cinelex.config.schema import OptimizerConfig, RunConfig, Schedule

STEPS = 101


def at(schedule: Schedule, *steps: int) -> list[float]:
    return [value_at(schedule, step=step, steps=STEPS) for step in steps]


def test_a_number_is_constant() -> None:
    assert [value_at(0.1, step=step, steps=STEPS) for step in (0, 50, 100)] == [0.1] * 3


def test_a_linear_schedule_goes_straight_from_the_first_step_to_the_last() -> None:
    assert at(Schedule(start=1, end=3), 0, 25, 50, 100) == pytest.approx([1, 1.5, 2, 3])
    assert at(Schedule(start=3, end=1), 0, 25, 50, 100) == pytest.approx([3, 2.5, 2, 1])


def test_a_cosine_schedule_starts_and_ends_level() -> None:
    schedule = Schedule(start=0, end=1, shape="cosine")
    assert value_at(schedule, step=2, steps=4) == pytest.approx(0.75)
    assert at(schedule, 0, 25, 50, 100) == pytest.approx([0, (1 - math.sqrt(0.5)) / 2, 0.5, 1])


def test_a_step_schedule_has_levels_that_last_equally_long() -> None:
    schedule = Schedule(start=0, end=1, shape="step")
    assert at(schedule, 0, 49, 50, 100) == [0, 0, 1, 1]
    thirds = Schedule(start=1, end=0, shape="step", jumps=2)
    assert at(thirds, 0, 33, 34, 66, 67, 100) == [1, 1, 0.5, 0.5, 0, 0]


def test_a_change_can_begin_late_and_finish_early() -> None:
    schedule = Schedule(start=1, end=2, begin=0.2, finish=0.6)
    assert at(schedule, 0, 20, 40, 60, 100) == pytest.approx([1, 1, 1.5, 2, 2])


def test_a_run_of_one_step_has_the_start() -> None:
    assert value_at(Schedule(start=1, end=2), step=0, steps=1) == 1


def test_the_learning_rate_rises_straight_and_falls_along_a_cosine() -> None:
    config = OptimizerConfig(learning_rate=1.0, final_learning_rate=0.1, warmup_steps=10)
    rates = [learning_rate(config, step=step, steps=STEPS) for step in range(STEPS)]
    assert rates[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert rates[10] == 1.0
    assert rates[55] == pytest.approx(0.55)
    assert rates[100] == pytest.approx(0.1)
    assert all(after <= before for before, after in zip(rates[10:], rates[11:], strict=False))


def test_the_cosine_is_level_at_both_ends_and_symmetric_between() -> None:
    config = OptimizerConfig(learning_rate=0.3, final_learning_rate=0.02)
    rates = [learning_rate(config, step=step, steps=STEPS) for step in range(STEPS)]
    assert rates[25] == pytest.approx(0.16 + 0.14 * math.sqrt(0.5))
    assert [up + down for up, down in zip(rates, reversed(rates), strict=True)] == pytest.approx(
        [0.32] * STEPS
    )
    assert rates[0] - rates[1] == pytest.approx(0.14 * (1 - math.cos(math.pi / 100)))


def test_the_table_shows_the_first_step_and_the_last() -> None:
    config = RunConfig(
        name="x",
        steps=STEPS,
        batch=2,
        temperature=Schedule(start=1, end=0.1),
        loss_weights={"contrastive": 2.0, "captioning": Schedule(start=0, end=1)},
    )
    table = schedule_table(config, rows=3)
    assert [row["step"] for row in table] == [0, 50, 100]
    assert table[0]["temperature"] == 1
    assert table[2] == pytest.approx(
        {
            "step": 100,
            "learning_rate": 1e-5,
            "temperature": 0.1,
            "weight/contrastive": 2.0,
            "weight/captioning": 1.0,
        }
    )


def test_the_table_of_a_short_run_has_no_step_twice() -> None:
    table = schedule_table(
        RunConfig(name="x", steps=3, batch=2, loss_weights={"captioning": 1.0}), rows=9
    )
    assert [row["step"] for row in table] == [0, 1, 2]
