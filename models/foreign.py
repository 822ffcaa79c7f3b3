"""What every model from another library needs: its weights from a file, and no hidden randomness.

The other libraries are imported where they are used, because some take seconds.
"""

import math
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from cinelex.core.errors import UserError


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file, or of a torch file that holds tensors alone.

    Nothing but tensors is ever unpickled.

    Raises:
        UserError: No such file, or something else is in it.
    """
    if not path.is_file():
        raise UserError(
            f"no weights at {path}; place the file there, or set pretrained to false to start "
            "from random weights"
        )
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        if not zipfile.is_zipfile(path):
            raise UserError(f"{path} does not hold weights; use a safetensors file")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise UserError(f"{path} does not hold weights; use a safetensors file") from error
    for wrapper in ("state_dict", "model"):
        content = content.get(wrapper, content) if isinstance(content, dict) else content
    if not isinstance(content, dict) or not all(isinstance(v, Tensor) for v in content.values()):
        raise UserError(f"{path} holds more than named tensors; save the weights as safetensors")
    return content


def load_all(module: nn.Module, weights: Mapping[str, Tensor], *, source: str) -> None:
    """Load weights that must fit tensor by tensor.

    Raises:
        UserError: The first tensor that is missing, left over or of another shape.
    """
    own = module.state_dict()
    for name in sorted(own.keys() | weights.keys()):
        if name not in weights:
            raise UserError(f"{source} lacks {name}; it belongs to another model")
        if name not in own:
            raise UserError(f"{source} has {name}, which the model lacks; it is of another model")
        if own[name].shape != weights[name].shape:
            raise UserError(
                f"{name} is {list(weights[name].shape)} in {source}, but {list(own[name].shape)} "
                "in the model; choose the options that the weights were made with"
            )
    module.load_state_dict(dict(weights))


def make_repeatable(module: nn.Module, *, trained: bool) -> None:
    """Switch off dropout, and let no clip be normalized with the statistics of others.

    With batch statistics the loss would depend on how a batch falls on processes. Where weights
    were loaded, batch norm keeps the statistics it came with; otherwise it becomes group norm.

    Source: Wu and He 2018, Group normalization, arXiv:1803.08494.

    Args:
        module: Changed in place.
        trained: Whether its batch norms come with statistics.
    """
    for part in module.modules():
        if isinstance(part, nn.modules.dropout._DropoutNd):
            part.p = 0.0
        elif type(part).__name__ in ("DropPath", "StochasticDepth"):
            # timm calls it drop_prob, torchvision p; a share of 0 drops nothing in both.
            part.drop_prob = part.p = 0.0  # type: ignore[assignment]
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, _BatchNorm):
                setattr(parent, name, _replace(child, trained=trained))


class FixedBatchNorm(nn.Module):
    """Batch norm whose statistics never change; its scale and shift are trained."""

    mean: Tensor
    variance: Tensor

    def __init__(self, norm: _BatchNorm) -> None:
        """Take over the numbers of a batch norm.

        Args:
            norm: It must have running statistics, a scale and a shift.
        """
        super().__init__()
        assert norm.running_mean is not None
        assert norm.running_var is not None
        self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps
        self.register_buffer("mean", norm.running_mean.clone())
        self.register_buffer("variance", norm.running_var.clone())

    def forward(
        self, maps: Float[Tensor, "row channel *position"]
    ) -> Float[Tensor, "row channel *position"]:
        """Scale and shift each channel."""
        return F.batch_norm(
            maps, self.mean, self.variance, self.weight, self.bias, training=False, eps=self.eps
        )


def _replace(norm: _BatchNorm, *, trained: bool) -> nn.Module:
    """Return what stands in for a batch norm, with the activation that timm joins to some."""
    channels = norm.num_features
    stand_in: nn.Module = (
        FixedBatchNorm(norm) if trained else nn.GroupNorm(math.gcd(32, channels), channels)
    )
    joined = [part for name in ("drop", "act") if (part := getattr(norm, name, None)) is not None]
    return nn.Sequential(stand_in, *joined) if joined else stand_in
