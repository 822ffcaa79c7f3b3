"""Weights of an own tower from another run, or from a file, wherever the tower is built alike."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from cinelex.core import checkpoint
from cinelex.core.errors import UserError
from cinelex.models.arrival import Arrival, arrive
from cinelex.models.contracts import TextEncoder, VideoEncoder

POSITIONS = "positions."
"""What the names of vectors begin with that stand for the steps of an axis of the grid."""


def take_weights(
    tower: VideoEncoder | TextEncoder, pretrained: str | None, kept: Mapping[str, Any] | None
) -> None:
    """Give a fresh tower the weights of one like it, and note what arrived.

    Learned positions of another grid are interpolated along their axis.

    Args:
        tower: Built, with every option.
        pretrained: Folder of a run, of which the best checkpoint is taken, else the newest; or a
            safetensors file of such a model, or of the tower alone; None leaves it fresh.
        kept: What a run kept of it; its checkpoint then has its weights.

    Raises:
        UserError: There are no such weights, or one of the tower's is not among them.
    """
    if pretrained is None:
        return
    tower.kept = {}
    if kept is not None:
        return
    prefix = "video_encoder." if isinstance(tower, VideoEncoder) else "text_encoder."
    found = _read(Path(pretrained))
    own = {name.removeprefix(prefix): v for name, v in found.items() if name.startswith(prefix)}
    weights, ways = _fitted(own or found, tower.state_dict())
    arrival: Arrival = arrive(tower, weights, source=pretrained)
    tower.arrival = replace(arrival, interpolated=ways)


def _read(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a run's model, averaged ones where it has them, or of a file."""
    if path.is_dir():
        newest = checkpoint.newest(path / "checkpoints")
        if newest is None:
            raise UserError(f"pretrained: {path} holds no checkpoint; name the folder of a run")
        there = newest if newest.position.best_step is None else checkpoint.best(newest)
        parts = (checkpoint.read(there.path, name) for name in ("frozen", "model", "ema"))
        return {name: value for part in parts for name, value in part.items()}
    try:
        return load_file(path)
    except (OSError, SafetensorError) as problem:
        what = type(problem).__name__
        raise UserError(f"pretrained: {path} is not a safetensors file ({what})") from None


def _fitted(
    weights: Mapping[str, Tensor], own: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the weights with positions as many as the tower has, and what was done to which."""
    fitted, ways = dict(weights), dict[str, str]()
    for name, tensor in own.items():
        there = weights.get(name)
        if there is None or there.shape == tensor.shape or not name.startswith(POSITIONS):
            continue
        if there.ndim == tensor.ndim == 2 and there.shape[1] == tensor.shape[1]:
            steps = there.float().T[None]
            fitted[name] = F.interpolate(steps, len(tensor), mode="linear")[0].T.to(there.dtype)
            ways[name] = f"from {len(there)} to {len(tensor)} steps"
    return fitted, ways
