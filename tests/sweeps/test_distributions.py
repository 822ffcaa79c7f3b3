"""W&B's distributions: what is drawn has the law that their documentation gives."""

import json
import math
import random
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
import pytest
from scipy import stats

from cinelex.core.errors import UserError
from cinelex.sweeps.distributions import Distribution, draw
from cinelex.sweeps.parameters import DISTRIBUTIONS, Parameter, flat
from cinelex.sweeps.plan import read_plan


def one(**spec: Any) -> Distribution:
    return Parameter.model_validate(spec).law()


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
    "beta": {"a": 2.0, "b": 5.0},
    "q_beta": {"a": 2.0, "b": 5.0, "q": 0.1},
}


def test_every_distribution_has_an_example_here() -> None:
    assert SPECS.keys() == set(DISTRIBUTIONS)


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
    assert one(value=[1, 2]).ends() == ([1, 2],)
    assert one(value=[1, 2]).is_constant


def test_nested_parameters_become_dots() -> None:
    nested = {"optimizer": {"parameters": {"betas": {"values": [[0.9, 0.98]]}}}}
    assert flat(nested) == {"optimizer.betas": {"values": [[0.9, 0.98]]}}


def test_the_position_on_an_axis_is_logarithmic_where_the_range_is() -> None:
    assert one(min=1.0, max=3.0).position(2.0) == 0.5
    assert one(distribution="log_uniform_values", min=0.01, max=1.0).position(0.1) == pytest.approx(
        0.5
    )
    assert one(values=["a", "b", "c"]).position("b") == pytest.approx(0.5)
    assert one(values=["a", "b"]).position("z") is None


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"min": 3.0, "max": 1.5}, "min (3.0) must be below max (1.5)"),
        ({"min": 1, "max": 2.5}, "are of two types"),
        ({"min": 1.0}, "expected value:, values:, or min: and max:"),
        ({"distribution": "unifrom", "min": 0.0, "max": 1.0}, "did you mean uniform?"),
        ({"distribution": "beta", "min": 0.0, "max": 1.0}, "the distribution beta needs a: and b:"),
        ({"distribution": "cauchy"}, "unknown distribution 'cauchy'"),
        ({"distribution": "log_uniform_values", "min": 0.0, "max": 1.0}, "begins above 0"),
        ({"distribution": "log_uniform", "min": 0.0, "max": 1e6}, "is no number"),
        (
            {"distribution": "uniform", "min": "1.5", "max": 3.0},
            'min: expected a valid number, got "1.5"',
        ),
        ({"distribution": "q_uniform", "min": 0.1, "max": 0.2, "q": 1}, "fewer than two multiples"),
        ({"values": []}, "at least one value"),
        ({"values": [1, 2], "probabilities": [0.5, 0.6]}, "sum to 1"),
        ({"values": [1], "vales": [2]}, "unknown field 'vales'; did you mean"),
        ({"distribution": "normal", "sigma": 0}, "greater than 0"),
    ],
)
def test_a_broken_range_is_refused_with_its_key_and_the_reason(
    tmp_path: Path, spec: dict[str, Any], reason: str
) -> None:
    file = tmp_path / "sweep.yaml"
    told = {"method": "random", "metric": {"name": "x"}, "parameters": {"key": spec}}
    file.write_text(json.dumps(told))
    with pytest.raises(UserError) as refused:
        read_plan(file)
    assert "sweep.yaml:1: parameters.key" in str(refused.value)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


def test_random_values_do_not_leave_a_range() -> None:
    generator = random.Random(0)
    for _ in range(200):
        low = generator.uniform(-5, 5)
        high = low + generator.uniform(0.01, 5)
        distribution = one(min=low, max=high)
        value = distribution.value(generator.uniform(0, 1))
        assert distribution.contains(value)
        assert not distribution.contains(high + 0.001)


@pytest.mark.parametrize(
    ("name", "spec", "law"),
    [
        ("uniform", {"min": 1.5, "max": 3.0}, stats.uniform(1.5, 1.5)),
        ("log_uniform", {"min": -3, "max": 0}, stats.loguniform(math.exp(-3), 1)),
        ("log_uniform_values", {"min": 0.01, "max": 1.0}, stats.loguniform(0.01, 1)),
        ("inv_log_uniform", {"min": 0, "max": 3}, stats.loguniform(math.exp(-3), 1)),
        ("normal", {"mu": 2.0, "sigma": 0.5}, stats.norm(2, 0.5)),
        ("log_normal", {"mu": 1.0, "sigma": 0.5}, stats.lognorm(0.5, scale=math.e)),
        ("beta", {"a": 2.0, "b": 5.0}, stats.beta(2, 5)),
    ],
)
def test_values_are_quantiles_of_the_law_that_w_and_b_documents(
    name: str, spec: dict[str, float], law: Any
) -> None:
    distribution = one(distribution=name, **spec)
    for probability in (0.01, 0.25, 0.5, 0.9):
        assert distribution.value(probability) == pytest.approx(law.ppf(probability))
        assert law.cdf(distribution.value(probability)) == pytest.approx(probability)


@pytest.mark.parametrize("name", [name for name in SPECS if name.startswith("q_")])
def test_a_quantized_value_is_the_nearest_multiple_of_the_plain_one(name: str) -> None:
    spec = SPECS[name]
    plain = one(distribution=name.removeprefix("q_"), **{k: v for k, v in spec.items() if k != "q"})
    for probability in (0.2, 0.5, 0.8):
        rounded = round(float(str(plain.value(probability))) / spec["q"]) * spec["q"]
        assert one(distribution=name, **spec).value(probability) == pytest.approx(rounded)


def test_a_grid_holds_every_value_once_and_in_order() -> None:
    for spec, values in (
        ({"min": 1, "max": 5}, [1, 2, 3, 4, 5]),
        (SPECS["q_uniform"], [0.0, 0.25, 0.5, 0.75, 1.0]),
        ({"values": ["b", "a"]}, ["b", "a"]),
        ({"values": ["b", "a"], "probabilities": [0.9, 0.1]}, ["b", "a"]),
    ):
        told = {"distribution": "q_uniform", **spec} if "q" in spec else spec
        distribution = one(**told)
        assert [distribution.value(point) for point in distribution.grid()] == values
    assert not one(min=0.0, max=1.0).grid()


def test_what_w_and_b_rounds_beyond_an_end_is_contained() -> None:
    odd = one(distribution="q_log_uniform_values", min=1, max=3.6, q=1)
    assert odd.contains(4)
    assert not odd.contains(5)
    assert not odd.contains(2.5)
