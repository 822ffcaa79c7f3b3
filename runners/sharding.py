"""Tensors that are spread over the ranks, and the same tensors whole."""

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor, distribute_tensor


def whole(tensor: Tensor) -> Tensor:
    """Return all of a tensor that may be spread over the ranks; all ranks call it together."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def own_part(tensor: Tensor) -> Tensor:
    """Return the part of a tensor that this rank holds; changing it changes the tensor."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def as_parameter(tensor: Tensor, parameter: Tensor) -> Tensor:
    """Return a whole tensor, spread over the ranks as the parameter is."""
    if not isinstance(parameter, DTensor):
        return tensor
    on_device = tensor.to(torch.device(parameter.device_mesh.device_type))
    return distribute_tensor(on_device, parameter.device_mesh, parameter.placements)
