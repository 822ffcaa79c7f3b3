"""W&B's distributions: what is drawn has the law that their documentation gives."""

import math
import random
import statistics
from collections.abc import Mapping
from typing import Any

import optuna
import pytest

from cinelex.core.errors import UserError
from cinelex.sweeps.distributions import Choice, Distribution
from cinelex.sweeps.parameters import DISTRIBUTIONS, read_parameters
from cinelex.sweeps.queues import draw


def one(**spec: Any) -> Distribution:
    return read_parameters({"key": spec}, source="file")["key"]


def ends(distribution: Distribution) -> list[float]:
    return [float(str(end)) for end in distribution.ends()]


def sample(distribution: Distribution, count: int = 400) -> list[Any]:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    return [draw(study.ask(), {"key": distribution})["key"] for _ in range(count)]


SPECS: Mapping[str, Mapping[str, Any]] = {
    "constant": {"value": 3},
    "categorical": {"values": [True, None, "a", 1.5, [4, 8]]},
    "int_uniform": {"min": 1, "max": 5},
    "uniform": {"min": 1.5, "max": 3.0},
    "q_uniform": {"min": 0.0, "max": 1.0, "q": 0.25},
    "log_uniform": {"min": -3, "max": 0},
    "log_uniform_values": {"min": 0.01, "max": 1.0},
    "q_log_uniform": {"min": 0, "max": 4, "q": 2},
    "q_log_uniform_values": {"min": 1, "max": 100, "q": 1},
    "inv_log_uniform": {"min": 0, "max": 3},
    "inv_log_uniform_values": {"min": 0.01, "max": 1.0},
    "normal": {"mu": 2.0, "sigma": 0.5},
    "q_normal": {"mu": 0.0, "sigma": 3.0, "q": 1},
    "log_normal": {"mu": 0.0, "sigma": 0.5},
    "q_log_normal": {"mu": 2.0, "sigma": 0.5, "q": 1},
}


def test_every_distribution_has_an_example_here() -> None:
    assert SPECS.keys() == DISTRIBUTIONS.keys()


@pytest.mark.parametrize("name", SPECS)
def test_what_is_drawn_is_contained_and_the_ends_are_too(name: str) -> None:
    distribution = one(distribution=name, **SPECS[name])
    assert all(distribution.contains(value) for value in sample(distribution, 60))
    assert all(distribution.contains(end) for end in distribution.ends())


@pytest.mark.parametrize("name", ["uniform", "log_uniform_values", "normal", "int_uniform"])
@pytest.mark.parametrize("wrong", [1e9, -1e9, "; rm -rf /", True, None, [1.0], {"a": 1}])
def test_what_cannot_be_drawn_is_not_contained(name: str, wrong: Any) -> None:
    assert not one(distribution=name, **SPECS[name]).contains(wrong)


def test_a_choice_contains_its_values_with_their_types_only() -> None:
    choice = one(values=[1, "1", False])
    assert [choice.contains(value) for value in (1, "1", False)] == [True] * 3
    assert [choice.contains(value) for value in (1.0, "true", 0, True)] == [False] * 4


def test_half_of_a_logarithmic_range_lies_below_its_geometric_middle() -> None:
    values = sample(one(distribution="log_uniform_values", min=0.01, max=1.0))
    assert sum(value < 0.1 for value in values) / 400 == pytest.approx(0.5, abs=0.08)


def test_exponents_are_natural_and_their_inverse_is_mirrored() -> None:
    assert ends(one(distribution="log_uniform", min=0, max=1)) == pytest.approx([1.0, math.e])
    inverse = one(distribution="inv_log_uniform", min=0, max=1)
    assert ends(inverse) == pytest.approx([1 / math.e, 1.0])


def test_a_normal_has_its_mean_and_deviation_and_loses_a_thousandth_at_each_end() -> None:
    normal = one(distribution="normal", mu=2.0, sigma=0.5)
    values = sample(normal)
    assert statistics.fmean(values) == pytest.approx(2.0, abs=0.08)
    assert statistics.stdev(values) == pytest.approx(0.5, abs=0.06)
    assert ends(normal) == pytest.approx([2 - 0.5 * 3.0902, 2 + 0.5 * 3.0902], abs=1e-4)


def test_whole_steps_give_whole_numbers_and_broken_ones_exact_multiples() -> None:
    whole = set(sample(one(distribution="q_uniform", min=1, max=8, q=2)))
    assert whole == {2, 4, 6, 8}
    assert all(isinstance(value, int) for value in whole)
    assert set(sample(one(distribution="q_uniform", min=0.0, max=0.3, q=0.1))) == {
        0.0,
        0.1,
        0.2,
        0.3,
    }


def test_probabilities_are_kept() -> None:
    values = sample(one(values=["rare", "often"], probabilities=[0.1, 0.9]))
    assert values.count("rare") / 400 == pytest.approx(0.1, abs=0.05)


def test_w_and_b_takes_the_kind_of_range_from_the_type_of_its_ends() -> None:
    assert set(sample(one(min=1, max=3), 60)) == {1, 2, 3}
    assert all(isinstance(value, float) for value in sample(one(min=1.0, max=3.0), 20))
    assert one(value=[1, 2]) == Choice(([1, 2],))


def test_nested_parameters_become_dots() -> None:
    nested = {"optimizer": {"parameters": {"betas": {"values": [[0.9, 0.98]]}}}}
    assert list(read_parameters(nested, source="file")) == ["optimizer.betas"]


def test_the_place_on_an_axis_is_logarithmic_where_the_range_is() -> None:
    assert one(min=1.0, max=3.0).place(2.0) == 0.5
    assert one(distribution="log_uniform_values", min=0.01, max=1.0).place(0.1) == pytest.approx(
        0.5
    )
    assert one(values=["a", "b", "c"]).place("b") == 0.5
    assert one(values=["a", "b"]).place("z") is None


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"min": 3.0, "max": 1.5}, "min (3.0) must be below max (1.5)"),
        ({"min": 1, "max": 2.5}, "are of two types"),
        ({"min": 1.0}, "expected value:, values:, or min: and max:"),
        ({"distribution": "unifrom", "min": 0.0, "max": 1.0}, "did you mean uniform?"),
        ({"distribution": "beta", "min": 0.0, "max": 1.0}, "unknown distribution 'beta'"),
        ({"distribution": "log_uniform_values", "min": 0.0, "max": 1.0}, "begins above 0"),
        ({"distribution": "log_uniform", "min": 0.0, "max": 1e6}, "is no number"),
        ({"distribution": "uniform", "min": "1.5", "max": 3.0}, "expected a number, got '1.5'"),
        ({"distribution": "q_uniform", "min": 0.1, "max": 0.2, "q": 1}, "fewer than two multiples"),
        ({"values": []}, "at least one value"),
        ({"values": [1, 2], "probabilities": [0.5, 0.6]}, "sum to 1"),
        ({"values": [1], "vales": [2]}, "unknown field 'vales'; did you mean"),
        ({"distribution": "normal", "sigma": 0}, "more than 0"),
    ],
)
def test_a_broken_range_is_refused_with_its_key_and_the_reason(
    spec: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UserError) as refused:
        one(**spec)
    assert "file: parameters.key" in str(refused.value)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


def test_random_values_do_not_leave_a_range() -> None:
    generator = random.Random(0)
    for _ in range(200):
        low = generator.uniform(-5, 5)
        high = low + generator.uniform(0.01, 5)
        distribution = one(min=low, max=high)
        value = distribution.value(generator.uniform(low, high))
        assert distribution.contains(value)
        assert not distribution.contains(high + 0.001)
