"""Pretrained weights that do not train: in checkpoints once, or left out."""

from pathlib import Path

import pytest
import torch
from torch import nn

from cinelex.core import checkpoint
from cinelex.core.checkpoint import Position
from cinelex.core.errors import UserError
from cinelex.core.weights import load_weights
from cinelex.models.contracts import VideoEncoder
from cinelex.runners.restore import restore
from cinelex.runners.saver import Saver
from cinelex.runners.snapshot import Snapshots


class Tower(VideoEncoder):
    """A frozen trunk and a fresh layer."""

    trunk = "body"

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(3, 4)
        self.body.requires_grad_(False)
        self.project = nn.Linear(4, 2)

    def forward(self, clips: torch.Tensor, keep: torch.Tensor | None = None) -> torch.Tensor:
        return self.project(self.body(clips))


def made(seed: int) -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(seed)
    model = nn.Sequential(Tower())
    return model, torch.optim.AdamW([p for p in model.parameters() if p.requires_grad])


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> None:
    for step in range(steps):
        torch.manual_seed(step)
        optimizer.zero_grad()
        model(torch.randn(5, 3)).square().sum().backward()
        optimizer.step()


def saved(folder: Path, *, keep_frozen: bool, keep: int = 2) -> nn.Module:
    """Train two steps, saving after each, and return the model."""
    model, optimizer = made(0)
    snapshots = Snapshots(model, optimizer, keep_frozen=keep_frozen)
    with Saver(folder, keep=keep) as saver:
        for step in (1, 2):
            train(model, optimizer, 1)
            saver.wait()
            position = Position(step=step, records=0, skipped=0)
            saver.start(snapshots.take(position, provenance={}))
    return model


def test_they_lie_on_the_disk_once_and_every_checkpoint_is_whole(tmp_path: Path) -> None:
    model = saved(tmp_path, keep_frozen=True)
    files = [tmp_path / f"step-{step}" / "frozen.safetensors" for step in (1, 2)]
    assert files[0].samefile(files[1])
    for step in (1, 2):
        found = checkpoint.verify(tmp_path / f"step-{step}")
        assert not any("body" in name for name in checkpoint.read(found.path, "model"))
    other, _ = made(5)
    load_weights(checkpoint.verify(tmp_path / "step-2"), other)
    for name, value in model.state_dict().items():
        assert torch.equal(other.state_dict()[name], value)


def test_they_outlive_the_checkpoint_that_wrote_them(tmp_path: Path) -> None:
    model = saved(tmp_path, keep_frozen=True, keep=1)
    assert checkpoint.steps_saved(tmp_path) == [2]
    other, _ = made(5)
    load_weights(checkpoint.verify(tmp_path / "step-2"), other)
    assert torch.equal(other.state_dict()["0.body.weight"], model.state_dict()["0.body.weight"])


@pytest.mark.parametrize("keep_frozen", [True, False])
def test_a_resumed_run_is_the_one_that_went_on(tmp_path: Path, keep_frozen: bool) -> None:
    model = saved(tmp_path, keep_frozen=keep_frozen)
    straight, optimizer = made(0)
    train(straight, optimizer, 1)
    train(straight, optimizer, 1)
    # left out, they come from the source, which made() stands for; kept, from the checkpoint
    resumed, again = made(5 if keep_frozen else 0)
    position, _ = restore(tmp_path, model=resumed, optimizer=again)
    assert position.step == 2
    for one, other in ((model, resumed), (straight, resumed)):
        for name, value in one.state_dict().items():
            assert torch.equal(value, other.state_dict()[name])
    train(straight, optimizer, 3)
    train(resumed, again, 3)
    for name, value in straight.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name])


def test_left_out_they_must_be_those_of_the_training(tmp_path: Path) -> None:
    saved(tmp_path, keep_frozen=False)
    assert not (tmp_path / "step-2" / "frozen.safetensors").exists()
    with pytest.raises(UserError, match="not what the run was trained with"):
        load_weights(checkpoint.verify(tmp_path / "step-2"), made(5)[0])
