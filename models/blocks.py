"""Transformer blocks and their first values.

The blocks are those of timm, number for number. They are written out because importing timm takes
every process seconds, and the small default model needs nothing else of it.
"""

from typing import Literal

import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from cinelex.core.errors import UserError


class Block(nn.Module):
    """Pre-norm self-attention, then a feed-forward part; no dropout.

    Source: Dosovitskiy et al. 2021, ViT, arXiv:2010.11929, equations 2 and 3.
    """

    def __init__(self, *, width: int, heads: int, mlp_ratio: float) -> None:
        """Make one block.

        Args:
            width: Embedding dimension of a token; a multiple of ``heads``.
            heads: Attention heads.
            mlp_ratio: Hidden width of the feed-forward part, in widths.

        Raises:
            UserError: The width cannot be shared among the heads.
        """
        super().__init__()
        check_heads(width=width, heads=heads)
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = FeedForward(width=width, mlp_ratio=mlp_ratio)

    def forward(
        self,
        tokens: Float[Tensor, "row token width"],
        attention_mask: Bool[Tensor, "row token"] | None = None,
    ) -> Float[Tensor, "row token width"]:
        """Let each token attend to all tokens of its row that are present; to all if None."""
        query, key, value = rearrange(
            self.query_key_value(self.norm(tokens)),
            "row token (three head part) -> three row head token part",
            three=3,
            head=self.heads,
        )
        mask = None if attention_mask is None else attention_mask[:, None, None]
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        tokens = tokens + self.join(rearrange(seen, "row head token part -> row token (head part)"))
        return tokens + self.mlp(self.mlp_norm(tokens))


class FeedForward(nn.Sequential):
    """Linear, GELU, linear, on each token by itself."""

    def __init__(self, *, width: int, mlp_ratio: float) -> None:
        """Make the two matrices.

        Args:
            width: Embedding dimension of a token.
            mlp_ratio: Hidden width, in widths.
        """
        hidden = int(width * mlp_ratio)
        super().__init__(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))


def check_heads(*, width: int, heads: int) -> None:
    """Refuse a width that cannot be shared among the heads.

    Raises:
        UserError: The width is no multiple of the number of heads.
    """
    if heads < 1 or width % heads:
        raise UserError(f"width {width} is not a multiple of heads {heads}; change one of them")


def start_small(module: nn.Module) -> None:
    """Draw every weight from a normal of 0.02 cut at two units, and set every bias to 0."""
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Conv2d | nn.Embedding):
            nn.init.trunc_normal_(part.weight, std=0.02)
        if isinstance(part, nn.Linear | nn.Conv2d) and part.bias is not None:
            nn.init.zeros_(part.bias)


def start_level(module: nn.Module) -> None:
    """Draw every weight so that activations keep their size from layer to layer; biases are 0.

    Source: He et al. 2015, arXiv:1502.01852, equation 10.
    """
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            gain: Literal["relu", "linear"] = "relu" if isinstance(part, nn.Conv2d) else "linear"
            nn.init.kaiming_normal_(part.weight, nonlinearity=gain)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
