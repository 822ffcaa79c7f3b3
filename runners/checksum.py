"""Are the weights of all ranks still the same?"""

import torch
from jaxtyping import Int
from torch import Tensor, nn

from cinelex.core.distributed import gather_rows, world_size
from cinelex.core.errors import UserError

PRIME = 1_000_003
BITS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def refuse_drift(model: nn.Module, *, step: int) -> None:
    """Compare a checksum of every parameter and buffer over the ranks; all ranks call it.

    Raises:
        UserError: Two ranks differ; names the first tensor and the ranks.
    """
    if world_size() == 1:
        return
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    sums = gather_rows(torch.stack([checksum(t.detach()) for t in tensors.values()]).cpu()[None])
    for index, name in enumerate(tensors):
        column = sums[:, index]
        others = [other for other in range(len(column)) if column[other] != column[0]]
        if others:
            raise UserError(
                f"after step {step} the ranks {others} hold another {name!r} than rank 0: their "
                "gradients were not averaged, or their memory is faulty; the last checkpoint is "
                "whole, and was made before this was seen"
            )


def checksum(tensor: Tensor) -> Int[Tensor, ""]:
    """Return a number that changes with any one value of a tensor and with their order.

    The sum of the values' bit patterns, each times an odd number of its position, in wrapping
    64-bit arithmetic: odd numbers have inverses there, so that one changed value always changes
    the sum.
    """
    bits = tensor.flatten().view(BITS[tensor.element_size()]).to(torch.int64)
    positions = torch.arange(len(bits), device=tensor.device) * (2 * PRIME) + 1
    return (bits * positions).sum()
