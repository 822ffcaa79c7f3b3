"""Checkpoints of a small model."""

from pathlib import Path

import torch
from torch import nn

from cinelex.core.checkpoint import Position
from cinelex.runners import saving
from cinelex.runners.snapshot import Snapshots


def trained(seed: int = 0) -> tuple[nn.Module, torch.optim.AdamW]:
    """A small model after a step."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    model(torch.randn(5, 3)).square().sum().backward()
    optimizer.step()
    return model, optimizer


def save(folder: Path, step: int = 1, keep: int = 2, seed: int = 0) -> Path:
    model, optimizer = trained(seed)
    snapshot = Snapshots(model, optimizer).take(
        Position(step=step, records=10 * step, skipped=1), provenance={"data": "d"}
    )
    return saving.write(folder, snapshot, keep=keep)
