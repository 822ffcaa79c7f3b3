"""Tensors that are spread over the ranks, and the same tensors whole."""

import sys
from typing import Any

import torch
from torch import Tensor


def whole(tensor: Tensor) -> Tensor:
    """Return all of a tensor that may be spread over the ranks; all ranks call it together."""
    spread: Any = tensor
    return spread.full_tensor() if is_spread(tensor) else tensor


def own_part(tensor: Tensor) -> Tensor:
    """Return the part of a tensor that this rank holds; changing it changes the tensor."""
    spread: Any = tensor
    return spread.to_local() if is_spread(tensor) else tensor


def as_parameter(tensor: Tensor, parameter: Tensor) -> Tensor:
    """Return a whole tensor, spread over the ranks as the parameter is."""
    spread: Any = parameter
    if not is_spread(parameter):
        return tensor
    from torch.distributed.tensor import distribute_tensor

    on_device = tensor.to(torch.device(spread.device_mesh.device_type))
    return distribute_tensor(on_device, spread.device_mesh, spread.placements)


def is_spread(tensor: Tensor) -> bool:
    """Return whether a tensor is one; where nobody has loaded them, in a second, there are none."""
    loaded = sys.modules.get("torch.distributed.tensor")
    return loaded is not None and isinstance(tensor, loaded.DTensor)
