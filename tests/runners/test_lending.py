"""A device, here one without memory, holds one block at a time; the host keeps all."""

import pytest
import torch
from torch import Tensor, nn

from cinelex.runners.lending import lent
from tests.runners.shared_project import Blocks

META = torch.device("meta")
BLOCK = ("0.weight", "0.bias", "2.weight", "2.bias")


def test_a_device_holds_one_block_at_a_time() -> None:
    model, there = Blocks(), list[list[str]]()
    for number in (0, 1):
        inside = model.get_submodule(f"blocks.{number}.1")
        inside.register_forward_hook(lambda *_: there.append(on_device(model)))
    with lent(model, META):
        assert on_device(model) == ["head.bias", "head.weight"]
        assert model(torch.ones(2, 3, device=META)).device == META
        assert on_device(model) == ["head.bias", "head.weight"]
    outside = ["head.bias", "head.weight"]
    for number, held in enumerate(there):
        assert held == sorted(f"blocks.{number}.{part}" for part in BLOCK) + outside
    assert len(there) == 2


def test_the_host_keeps_what_it_had() -> None:
    model = Blocks()
    before = {name: (tensor, tensor.clone()) for name, tensor in model.named_parameters()}
    with lent(model, META), pytest.raises(RuntimeError, match="reduction dim"):
        model(torch.ones(2, 4, device=META))
    for name, tensor in model.named_parameters():
        same, value = before[name]
        assert tensor is same
        torch.testing.assert_close(tensor, value, rtol=0, atol=0)
    model(torch.ones(2, 3))


def test_a_part_of_a_block_may_be_asked_alone() -> None:
    model = Blocks()
    with lent(model, META):
        part: Tensor = model.get_submodule("blocks.0.0")(torch.ones(2, 3, device=META))
    assert part.device == META


def on_device(model: nn.Module) -> list[str]:
    return sorted(name for name, tensor in model.named_parameters() if tensor.device == META)
