"""Every trainable parameter stands in one group, with the decay and the rate that suit it."""

import pytest
import torch
from torch import nn

from cinelex.config.schema import OptimizerConfig
from cinelex.models.temperature import Temperature
from cinelex.runners.groups import Group, check_groups, parameter_groups
from cinelex.runners.optimizer import build_optimizer, set_learning_rate

CONFIG = OptimizerConfig(
    learning_rate=1e-2,
    final_learning_rate=1e-3,
    warmup_steps=2,
    weight_decay=0.1,
    temperature_learning_rate=5e-3,
)


class Model(nn.Module):
    """One parameter of each kind."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 4)
        self.norm = nn.LayerNorm(4)
        self.frozen = nn.Linear(2, 2)
        self.frozen.requires_grad_(False)
        self.position_rows = nn.Parameter(torch.zeros(5, 4))
        self.temperature = Temperature(start=0.1, learned=True)
        self.bias = nn.Parameter(torch.tensor(-2.0))


def test_matrices_decay_and_nothing_else_does() -> None:
    groups = {group.name: group for group in parameter_groups(Model(), CONFIG)}
    assert groups["matrices"].names == ("layer.weight",)
    assert groups["matrices"].weight_decay == 0.1
    assert set(groups["vectors"].names) == {
        "layer.bias",
        "norm.weight",
        "norm.bias",
        "position_rows",
    }
    assert set(groups["temperature"].names) == {"temperature.log_temperature", "bias"}
    assert groups["vectors"].weight_decay == groups["temperature"].weight_decay == 0


def test_every_trainable_parameter_is_there_once() -> None:
    model = Model()
    optimizer = build_optimizer(model, CONFIG)
    held = [id(weight) for group in optimizer.param_groups for weight in group["params"]]
    trainable = [id(weight) for weight in model.parameters() if weight.requires_grad]
    assert sorted(held) == sorted(trainable)


def test_the_temperature_has_a_rate_of_its_own_over_the_same_course() -> None:
    optimizer = build_optimizer(Model(), CONFIG)
    peak = set_learning_rate(optimizer, CONFIG, step=1, steps=10)
    assert peak == 1e-2
    rates = [group["lr"] for group in optimizer.param_groups]
    assert rates == pytest.approx([1e-2, 1e-2, 5e-3])
    set_learning_rate(optimizer, CONFIG, step=9, steps=10)
    rates = [group["lr"] for group in optimizer.param_groups]
    assert rates == pytest.approx([1e-3, 1e-3, 5e-4])


def test_a_parameter_left_out_or_doubled_is_named() -> None:
    model = Model()
    groups = parameter_groups(model, CONFIG)
    with pytest.raises(ValueError, match=r"missing \['layer\.weight'\]"):
        check_groups(model, [group for group in groups if group.name != "matrices"])
    with pytest.raises(ValueError, match=r"twice \['layer\.weight'\]"):
        check_groups(model, [*groups, groups[0]])
    stray = Group("stray", ("frozen.weight",), 0.0, 1.0)
    with pytest.raises(ValueError, match=r"not trainable \['frozen\.weight'\]"):
        check_groups(model, [*groups, stray])


def test_a_temperature_that_is_not_learned_is_in_no_group() -> None:
    model = Model()
    model.temperature = Temperature(start=0.1, learned=False)
    del model.bias
    assert [group.name for group in parameter_groups(model, CONFIG)] == ["matrices", "vectors"]
