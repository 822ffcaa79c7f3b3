"""A temperature stays within its range."""

import math

import pytest

from cinelex.core.errors import UserError
from cinelex.models.temperature import Temperature


def test_a_temperature_out_of_range_is_refused() -> None:
    with pytest.raises(UserError, match=r"temperature 0\.5 is not within its range 0\.01 to 0\.2"):
        Temperature(start=0.5, learned=True, allowed=(0.01, 0.2))


def test_a_temperature_past_its_range_is_clamped_and_only_led_back_in() -> None:
    temperature = Temperature(start=0.1, learned=True, allowed=(0.05, 0.2))
    (log,) = temperature.parameters()
    for start, sign, moves in [(0.01, 1, False), (0.01, -1, True), (0.1, 1, True), (9.0, 1, True)]:
        temperature.set(start)
        log.grad = None
        value = temperature()
        assert value.item() == pytest.approx(min(max(start, 0.05), 0.2))
        (sign * value).backward()
        assert log.grad is not None
        assert bool(log.grad.ne(0)) == moves


def test_a_fixed_temperature_is_saved_but_not_trained() -> None:
    temperature = Temperature(start=0.1, learned=False)
    temperature.set(0.07)
    assert list(temperature.parameters()) == []
    assert temperature.state_dict()["log_temperature"].item() == pytest.approx(math.log(0.07))
