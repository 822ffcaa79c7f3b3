"""From a checkpoint's weights to a model's, if they are of the same kind."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from cinelex.core.checkpoint import Checkpoint, read
from cinelex.core.errors import UserError
from cinelex.core.names import covered


def load_weights(found: Checkpoint, model: nn.Module, *, but: Sequence[str] = ()) -> None:
    """Give ``model`` the weights to use, averaged ones where the run kept an average.

    Args:
        found: The checkpoint.
        model: Gets them.
        but: Modules of the checkpoint that are left there.

    Raises:
        UserError: Made by a model of other parameters.
    """
    saved = {**read(found.path, "model"), **read(found.path, "ema")}
    tensors = {name: value for name, value in saved.items() if not covered(name, but)}
    check_names(found.path, tensors, model.state_dict())
    model.load_state_dict(tensors)


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
