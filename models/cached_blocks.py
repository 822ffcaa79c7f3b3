"""Decoder blocks that remember: keys and values of the tokens so far, and of the study."""

from dataclasses import dataclass

import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from cinelex.models.blocks import FeedForward
from cinelex.models.shapes import TokenFeatures

KeysValues = tuple[Float[Tensor, "study head key part"], Float[Tensor, "study head key part"]]
OfTokens = tuple[Float[Tensor, "study head room part"], Float[Tensor, "study head room part"]]
OfMemory = tuple[Float[Tensor, "study head memory part"], Float[Tensor, "study head memory part"]]


@dataclass(frozen=True)
class Cache:
    """What one block remembers while it writes: room for every token, and the study, seen once."""

    token_ids: OfTokens
    memory: OfMemory

    def of(self, rows: Int[Tensor, " kept"]) -> "Cache":
        """Return what is remembered of some rows."""
        (keys, values), (seen_keys, seen_values) = self.token_ids, self.memory
        return Cache((keys[rows], values[rows]), (seen_keys[rows], seen_values[rows]))


class _Attention(nn.Module):
    """Multi-head attention whose keys and values can be made once and used many times."""

    def __init__(self, *, width: int, memory_width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(memory_width, 2 * width)
        self.join = nn.Linear(width, width)

    def remember(self, memory: Float[Tensor, "study key width"]) -> KeysValues:
        """Return the keys and values of each position."""
        keys, values = rearrange(
            self.key_value(memory),
            "study key (two head part) -> two study head key part",
            two=2,
            head=self.heads,
        )
        return keys, values

    def forward(
        self,
        features: TokenFeatures,
        remembered: KeysValues,
        *,
        mask: Bool[Tensor, "study 1 1 key"] | None,
        causal: bool,
    ) -> TokenFeatures:
        """Attend from each token to what is remembered; ``causal`` hides what comes later."""
        query = rearrange(
            self.query(features),
            "study token (head part) -> study head token part",
            head=self.heads,
        )
        keys, values = remembered
        seen = F.scaled_dot_product_attention(query, keys, values, attn_mask=mask, is_causal=causal)
        return self.join(rearrange(seen, "study head token part -> study token (head part)"))


class CachedBlock(nn.Module):
    """Attend to the tokens so far, to the study, and think."""

    def __init__(self, *, width: int, memory_width: int, heads: int, mlp_ratio: float) -> None:
        super().__init__()
        self.own_norm = nn.LayerNorm(width)
        self.own = _Attention(width=width, memory_width=width, heads=heads)
        self.cross_norm = nn.LayerNorm(width)
        self.cross = _Attention(width=width, memory_width=memory_width, heads=heads)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = FeedForward(width=width, mlp_ratio=mlp_ratio)

    def forward(
        self,
        features: TokenFeatures,
        memory: OfMemory | Float[Tensor, "study memory memory_width"],
        mask: Bool[Tensor, "study 1 1 memory"] | None,
        room: OfTokens | None = None,
        position: int = 0,
    ) -> TokenFeatures:
        """Take all tokens, each seeing those before it, or one token that sees all in ``room``.

        Args:
            features: The tokens, or the one token that is new.
            memory: Keys and values of the study, or the tokens that they are made of: nothing of a
                block is called around it, where it may be sharded.
            mask: True where the study has a token; None where nothing is absent.
            room: Where the keys and values of the tokens are kept; the new token's are written.
            position: Where the new token stands.
        """
        normed = self.own_norm(features)
        keys, values = self.own.remember(normed)
        if room is not None:
            room[0][:, :, position : position + 1], room[1][:, :, position : position + 1] = (
                keys,
                values,
            )
            keys, values = room[0][:, :, : position + 1], room[1][:, :, : position + 1]
        features = features + self.own(normed, (keys, values), mask=None, causal=room is None)
        normed = self.cross_norm(features)
        remembered = self.cross.remember(memory) if isinstance(memory, Tensor) else memory
        features = features + self.cross(normed, remembered, mask=mask, causal=False)
        return features + self.mlp(self.mlp_norm(features))
