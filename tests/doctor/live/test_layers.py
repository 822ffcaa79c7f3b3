"""Updates by layer, units that are gone, and processes that are waited for, by hand."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cinelex.doctor.live import stragglers
from cinelex.doctor.live.layers import LayerProbe, layer_of
from cinelex.doctor.live.stragglers import StragglerProbe
from cinelex.doctor.live.units import watching_units


def test_the_update_of_a_layer_is_what_the_step_changed() -> None:
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2))
    for weight in model.parameters():
        nn.init.constant_(weight, 2.0)
    optimizer = torch.optim.SGD(model[0].parameters(), lr=0.5)
    probe = LayerProbe(every=1)
    probe.before_backward(model, {})
    model[0].weight.grad = torch.tensor([[4.0, 0.0], [0.0, 0.0]])
    optimizer.step()
    found = {name: float(value) for name, value in probe.after_update(model, optimizer).items()}
    assert found == {
        "update_over_weight/0": pytest.approx(2 / math.sqrt(16)),
        "update_over_weight/1": 0.0,
        "unchanged/0": 0.0,
        "unchanged/1": 2.0,
    }


def test_layers_are_named_up_to_their_number() -> None:
    assert layer_of("video.blocks.3.attention.weight") == "video.blocks.3"
    assert layer_of("video.stem.norm.bias") == "video.stem"
    assert layer_of("head.weight") == "head"
    assert layer_of("scale") == "scale"


class Activations(nn.Module):
    """A tower of each kind."""

    def __init__(self) -> None:
        super().__init__()
        self.flat = nn.Sequential(nn.Linear(1, 4, bias=False), nn.GELU())
        self.maps = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), nn.ReLU())
        self.gate = nn.Linear(1, 2, bias=False)
        with torch.no_grad():
            own = dict(self.named_parameters())
            own["flat.0.weight"].copy_(torch.tensor([[-9.0], [-4.0], [9.0], [0.1]]))
            own["maps.0.weight"].copy_(torch.tensor([-1.0, 1.0]).view(2, 1, 1, 1))
            own["gate.weight"].copy_(torch.tensor([[9.0], [0.5]]))

    def forward(self, rows: Tensor) -> Tensor:
        F.relu(self.maps(rows.view(-1, 1, 1, 1)))
        return self.flat(rows).sum() + torch.tanh(self.gate(rows)).sum()


def test_units_that_nothing_turns_on_are_dead_and_those_at_an_end_saturated() -> None:
    model = Activations()
    with watching_units(model) as units:
        model(torch.tensor([[1.0], [2.0]]))
        model(torch.tensor([[0.5]]))  # leaves the second unit alive
    assert units.numbers() == {
        "units/dead/flat": 0.25,
        "units/dead/maps": 0.5,
        "units/dead/": 0.5,
        "units/saturated/": 0.5,
    }


def test_what_watches_units_changes_no_output_and_leaves_no_hook() -> None:
    model, rows = Activations(), torch.tensor([[1.0]])
    own = model(rows)
    with watching_units(model):
        assert torch.equal(model(rows), own)
    assert not nn.modules.module._global_forward_hooks


def test_the_process_that_takes_longest_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stragglers, "world_size", lambda: 3)
    monkeypatch.setattr(stragglers, "gather_json", lambda own: [own, 3 * own, own])
    clock = iter(range(100))
    monkeypatch.setattr("time.perf_counter", lambda: float(next(clock)))
    model = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    probe = StragglerProbe(every=1)
    probe.after_update(model, optimizer)
    for _ in range(3):
        model(torch.zeros(1, 1)).sum().backward()
        optimizer.step()
    assert probe.before_backward(model, {}) == {"straggler/slower": 3.0, "straggler/rank": 1.0}
