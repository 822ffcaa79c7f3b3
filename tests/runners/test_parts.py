"""Parts of a model have rates, decay and beginnings of their own, and Muon moves matrices."""

from typing import Any

import pytest
import torch
from torch import nn

from cinelex.config.schema import OptimizerConfig
from cinelex.core.errors import UserError
from cinelex.models.contracts import VideoEncoder
from cinelex.runners.groups import check_groups, group_lines, parameter_groups
from cinelex.runners.optimizer import build_optimizer, drop_early_gradients, set_learning_rate
from cinelex.runners.snapshot import optimizer_tensors, restore_optimizer

CONFIG = OptimizerConfig(
    learning_rate=1e-2,
    final_learning_rate=1e-3,
    warmup_steps=2,
    weight_decay=0.1,
    temperature_learning_rate=5e-3,
)


class Tower(VideoEncoder):
    """A pretrained trunk of three blocks, and a fresh layer behind it."""

    trunk = "body"

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.ModuleDict(
            {
                "embed": nn.Linear(2, 4),
                "blocks": nn.ModuleList(nn.Linear(4, 4) for _ in range(3)),
                "norm": nn.LayerNorm(4),
            }
        )
        self.project = nn.Linear(4, 3)

    def forward(self, clips: torch.Tensor, keep: torch.Tensor | None = None) -> torch.Tensor:
        return clips


def towered() -> nn.Module:
    model = nn.Module()
    model.video_encoder = Tower()
    model.study_head = nn.Linear(3, 3)
    return model


def peaks(model: nn.Module, config: OptimizerConfig) -> dict[str, float]:
    """Return the peak learning rate of each parameter."""
    return {
        name: config.learning_rate * group.rate_factor
        for group in parameter_groups(model, config)
        for name in group.names
    }


def test_what_came_pretrained_has_a_rate_of_its_own_and_fresh_layers_have_not() -> None:
    rates = peaks(towered(), CONFIG)
    assert rates["video_encoder.body.blocks.1.weight"] == pytest.approx(3e-5)
    assert rates["video_encoder.project.weight"] == pytest.approx(1e-2)
    assert rates["study_head.bias"] == pytest.approx(1e-2)
    slow = CONFIG.model_copy(update={"learning_rate": 1e-5, "final_learning_rate": 0.0})
    assert peaks(towered(), slow)["video_encoder.body.blocks.1.weight"] == pytest.approx(1e-5)


def with_parts(**parts: Any) -> OptimizerConfig:
    return OptimizerConfig.model_validate({**CONFIG.model_dump(), "parts": parts})


def test_a_part_has_the_rate_and_the_decay_that_it_is_given() -> None:
    config = with_parts(**{"video_encoder.body": {"learning_rate": 1e-3, "weight_decay": 0.5}})
    model = towered()
    assert peaks(model, config)["video_encoder.body.norm.weight"] == pytest.approx(1e-3)
    assert peaks(model, config)["video_encoder.project.weight"] == pytest.approx(1e-2)
    decays = {n: g.weight_decay for g in parameter_groups(model, config) for n in g.names}
    assert decays["video_encoder.body.blocks.0.weight"] == 0.5
    assert decays["video_encoder.body.norm.weight"] == 0
    assert decays["study_head.weight"] == 0.1
    check_groups(model, parameter_groups(model, config))


def test_rates_fall_block_by_block_towards_the_input() -> None:
    part = {"learning_rate": 1e-3, "layer_decay": 0.5}
    rates = peaks(towered(), with_parts(**{"video_encoder.body": part}))
    order = ["embed", "blocks.0", "blocks.1", "blocks.2", "norm"]
    found = [rates[f"video_encoder.body.{name}.weight"] for name in order]
    assert found == pytest.approx([1e-3 / 16, 1e-3 / 8, 1e-3 / 4, 1e-3 / 2, 1e-3])


def test_a_part_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(UserError, match=r"parts\.vdeo: .* there are video_encoder, study_head"):
        parameter_groups(towered(), with_parts(vdeo={"learning_rate": 1e-3}))
    frozen = towered()
    frozen.get_submodule("video_encoder.body").requires_grad_(False)
    with pytest.raises(UserError, match="nothing in it trains"):
        parameter_groups(frozen, with_parts(**{"video_encoder.body": {"layer_decay": 0.9}}))


def test_a_part_that_begins_later_does_not_move_before() -> None:
    torch.manual_seed(0)
    model = towered()
    optimizer = build_optimizer(model, with_parts(**{"video_encoder.body": {"frozen_steps": 2}}))
    start = {name: p.detach().clone() for name, p in model.named_parameters()}
    moved = []
    for step in range(3):
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)
        set_learning_rate(optimizer, CONFIG, step=step, steps=10)
        drop_early_gradients(optimizer, step=step)
        optimizer.step()
        moved.append({n for n, p in model.named_parameters() if not torch.equal(p, start[n])})
    trunk = {name for name in start if name.startswith("video_encoder.body")}
    assert moved[0] == moved[1] == start.keys() - trunk
    assert moved[2] == start.keys()


def test_the_table_says_what_moves_how_fast_and_from_when() -> None:
    model = towered()
    model.get_submodule("study_head").requires_grad_(False)
    lines = group_lines(model, with_parts(**{"video_encoder.body": {"frozen_steps": 5}}))
    assert any("3e-05" in line and " 6  adamw" in line for line in lines)
    assert lines[-1].startswith("frozen")
    assert "study_head" in lines[-1]


MUON = OptimizerConfig.model_validate({**CONFIG.model_dump(), "name": "muon"})


def test_muon_moves_the_matrices_of_blocks_orthogonally_and_adamw_the_rest() -> None:
    torch.manual_seed(0)
    model = towered()
    named = {n: g.muon for g in parameter_groups(model, MUON) for n in g.names}
    assert {name for name, muon in named.items() if muon} == {
        f"video_encoder.body.blocks.{block}.weight" for block in range(3)
    }
    optimizer = build_optimizer(model, MUON)
    set_learning_rate(optimizer, MUON, step=1, steps=10)
    weight = model.get_parameter("video_encoder.body.blocks.0.weight")
    before = weight.detach().clone()
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter)
    optimizer.step()
    step = (before * (1 - 3e-5 * 0.1) - weight.detach()) / 3e-5
    spectrum = torch.linalg.svdvals(step)
    # its singular values lie around one, times 0.2 of the root of the longer side
    assert spectrum.min() / spectrum.max() > 0.5
    assert step.square().mean().sqrt() == pytest.approx(0.2, rel=0.3)


def test_muon_goes_on_from_its_state_and_leaves_out_what_is_not_finite() -> None:
    def made(seed: int) -> tuple[nn.Module, torch.optim.Optimizer]:
        torch.manual_seed(seed)
        model = towered()
        return model, build_optimizer(model, MUON)

    def move(model: nn.Module, optimizer: torch.optim.Optimizer, seed: int) -> None:
        torch.manual_seed(seed)
        for parameter in model.parameters():
            parameter.grad = torch.randn_like(parameter)
        optimizer.step()

    straight, first = made(0)
    move(straight, first, 1)
    resumed, second = made(9)
    resumed.load_state_dict(straight.state_dict())
    restore_optimizer(second, {n: t.clone() for n, t in optimizer_tensors(first).items()})
    for model, optimizer in ((straight, first), (resumed, second)):
        move(model, optimizer, 2)
    for one, other in zip(straight.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)
    kept = [p.detach().clone() for p in straight.parameters()]
    first.found_inf = torch.tensor(1.0)  # type: ignore[attr-defined]
    move(straight, first, 3)
    assert all(torch.equal(a, b) for a, b in zip(kept, straight.parameters(), strict=True))


def test_a_part_can_have_its_fresh_matrices_moved_by_muon_alone() -> None:
    config = with_parts(video_encoder={"muon_learning_rate": 0.02})
    model = towered()
    model.fact_heads = None  # type: ignore[assignment]
    groups = parameter_groups(model, config)
    named = {name: group for group in groups for name in group.names}
    by_muon = {name for name, group in named.items() if group.muon}
    assert by_muon
    assert all(name.startswith("video_encoder") for name in by_muon)
    assert not any(name.startswith("video_encoder.body") for name in by_muon)  # pretrained
    assert {named[name].rate_factor * config.learning_rate for name in by_muon} == {0.02}
    absent = with_parts(fact_heads={"muon_learning_rate": 0.02})
    assert not any(group.muon for group in parameter_groups(model, absent))
