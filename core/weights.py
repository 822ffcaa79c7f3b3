"""From a checkpoint's weights to a model's, if they are of the same kind."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from cinelex.core.checkpoint import Checkpoint, read
from cinelex.core.errors import UserError
from cinelex.core.files import hash_json
from cinelex.core.names import covered
from cinelex.core.sharding import whole


def load_weights(found: Checkpoint, model: nn.Module, *, but: Sequence[str] = ()) -> None:
    """Give ``model`` the weights to use, averaged ones where the run kept an average.

    Args:
        found: The checkpoint.
        model: Gets them.
        but: Modules of the checkpoint that are left there.

    Raises:
        UserError: Made by a model of other parameters.
    """
    saved = {**with_frozen(found, model.state_dict()), **read(found.path, "ema")}
    tensors = {name: value for name, value in saved.items() if not covered(name, but)}
    check_names(found.path, tensors, model.state_dict())
    model.load_state_dict(tensors)


FROZEN = "frozen"
"""The file of pretrained weights that do not train, and what a checkpoint notes of them where it
leaves them out: the hash of their values."""


def with_frozen(found: Checkpoint, own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of a checkpoint, and of those that it leaves out a model's own.

    Args:
        found: The checkpoint.
        own: What the model has from the source of its towers.

    Raises:
        UserError: What it leaves out has other values in the model than it had in training.
    """
    weights = {**read(found.path, "model"), **read(found.path, FROZEN)}
    expected = found.state["notes"].get(FROZEN)
    if expected is None:
        return weights
    left_out = {name: value for name, value in own.items() if name not in weights}
    if hash_tensors(left_out) != expected:
        raise UserError(
            f"{found.path}: the frozen weights were left out (checkpoint_frozen: false), and "
            "those of the source are not what the run was trained with; bring that source back"
        )
    return {**weights, **left_out}


def hash_tensors(tensors: Mapping[str, Tensor]) -> str:
    """Return a hash of names and values."""
    return hash_json({name: _hash(tensors[name]) for name in sorted(tensors)})


def _hash(tensor: Tensor) -> str:
    numbers = whole(tensor.detach()).cpu().contiguous().view(-1)
    return hashlib.sha256(numbers.view(torch.uint8).numpy().tobytes()).hexdigest()


def check_names(
    path: Path,
    tensors: Mapping[str, Tensor],
    own: Mapping[str, Tensor],
    *,
    skip: Sequence[str] = (),
) -> list[str]:
    """Refuse weights that are not those of a model.

    Args:
        path: The checkpoint.
        tensors: What it holds.
        own: What the model has.
        skip: Parameters, or modules of parameters, that may differ.

    Returns:
        The names that differ as ``skip`` allows.

    Raises:
        UserError: Names the first few that differ, and how.
    """
    names = sorted(tensors.keys() | own.keys())
    differing = [name for name in names if _shape(tensors, name) != _shape(own, name)]
    refused = [name for name in differing if not covered(name, skip)]
    if refused:
        first = [
            f"{name!r} ({_shape(tensors, name)} saved, {_shape(own, name)} configured)"
            for name in refused[:3]
        ]
        raise UserError(
            f"{path}: {len(refused)} tensors differ from the configured model, "
            f"first {', '.join(first)}; use the config.yaml beside the checkpoint, or name what "
            "may begin anew in resume_skip"
        )
    return differing


def _shape(tensors: Mapping[str, Tensor], name: str) -> str:
    return "x".join(map(str, tensors[name].shape)) or "number" if name in tensors else "absent"
