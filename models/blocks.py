"""Transformer blocks and their first values."""

from timm.layers.mlp import Mlp
from timm.models.vision_transformer import Block
from torch import nn

from core.errors import UserError


def transformer(*, width: int, depth: int, heads: int, mlp_ratio: float = 4.0) -> nn.ModuleList:
    """Return pre-norm self-attention blocks without dropout.

    Raises:
        UserError: The width cannot be shared among the heads.
    """
    check_heads(width=width, heads=heads)
    return nn.ModuleList(
        Block(width, heads, mlp_ratio=mlp_ratio, qkv_bias=True) for _ in range(depth)
    )


def feed_forward(*, width: int, mlp_ratio: float = 4.0) -> nn.Module:
    """Return linear, GELU, linear."""
    mlp: nn.Module = Mlp(width, int(width * mlp_ratio))
    return mlp


def check_heads(*, width: int, heads: int) -> None:
    """Refuse a width that cannot be shared among the heads.

    Raises:
        UserError: The width is no multiple of the number of heads.
    """
    if heads < 1 or width % heads:
        raise UserError(f"width {width} is no multiple of heads {heads}; change one of them")


def start_small(module: nn.Module) -> None:
    """Draw every weight from a normal of 0.02 cut at two units, and set every bias to 0."""
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Conv2d | nn.Embedding):
            nn.init.trunc_normal_(part.weight, std=0.02)
        if isinstance(part, nn.Linear | nn.Conv2d) and part.bias is not None:
            nn.init.zeros_(part.bias)
