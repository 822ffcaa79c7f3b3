"""The last two steps into a space that two towers share: a linear map, and length 1."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


def embedding_head(width: int, dim: int) -> nn.Linear:
    """Return a linear map into a shared space: no bias, and nothing after it but the length."""
    head = nn.Linear(width, dim, bias=False)
    nn.init.trunc_normal_(head.weight, std=0.02)
    return head


def unit_rows(rows: Float[Tensor, "*rows dim"]) -> Float[Tensor, "*rows dim"]:
    """Scale each row to length 1, in fp32."""
    return F.normalize(rows.float(), dim=-1)
