"""What every model from another library needs: its weights from a file, and no hidden randomness.

The other libraries are imported where they are used, because some take seconds.
"""

import math
import pickle
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from cinelex.core.errors import UserError

WRAPPERS = ("state_dict", "model_state_dict", "model")
"""Under what name training scripts save weights beside other things."""
PARALLEL = "module."
"""What DistributedDataParallel puts before every name."""


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
        # files of before 2020 are no zip archives; their pickle is read as narrowly
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a pickle that is none of torch's
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, KeyError) as error:
        raise UserError(
            f"{path} holds no weights that can be read without running code from it; where it is "
            "trusted, save its state_dict as safetensors"
        ) from error
    for wrapper in WRAPPERS:
        content = content.get(wrapper, content) if isinstance(content, dict) else content
    if not isinstance(content, dict) or not all(isinstance(v, Tensor) for v in content.values()):
        raise UserError(f"{path} holds more than named tensors; save the weights as safetensors")
    if content and all(name.startswith(PARALLEL) for name in content):
        return {name.removeprefix(PARALLEL): value for name, value in content.items()}
    return dict(content)


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
    joined = False
    """Whether the activation that timm joins to some stands behind it, in a sequence of both."""

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
    if joined and isinstance(stand_in, FixedBatchNorm):
        stand_in.joined = True
    return nn.Sequential(stand_in, *joined) if joined else stand_in


def plain_state(module: nn.Module) -> dict[str, Tensor]:
    """Return the tensors of a module under the names that its own library has for them."""
    state = {name: value.detach() for name, value in module.state_dict().items()}
    for name, part in module.named_modules():
        if isinstance(part, FixedBatchNorm):
            plain = name.rpartition(".")[0] if part.joined else name
            for own, theirs in _NAMES.items():
                state[f"{plain}.{theirs}"] = state.pop(f"{name}.{own}")
    return state


_NAMES = {
    "weight": "weight",
    "bias": "bias",
    "mean": "running_mean",
    "variance": "running_var",
}
"""Of a fixed batch norm's tensors, and of torch's own."""
