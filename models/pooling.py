"""From the features of tokens to one vector a report."""

from typing import Literal

import torch
from torch import nn

from cinelex.models.shapes import Studies, TokenFeatures, TokenMask

PoolingKind = Literal["mean", "attention", "first", "last"]


class TokenPooling(nn.Module):
    """Pool the tokens that are present; absent ones have no say."""

    def __init__(self, *, width: int, kind: PoolingKind) -> None:
        """Make the query, if there is one.

        Args:
            width: Embedding dimension of a token and of a report.
            kind: Mean of the tokens, mean weighted by one learned query, the first token alone, or
                the last one.
        """
        super().__init__()
        self.kind = kind
        self.query = nn.Linear(width, 1, bias=False) if kind == "attention" else None

    def forward(self, features: TokenFeatures, attention_mask: TokenMask) -> Studies:
        """Pool, with softmax and sums in fp32."""
        if self.kind == "first":
            return features[:, 0]
        if self.kind == "last":
            positions = torch.arange(attention_mask.shape[1], device=attention_mask.device)
            last = torch.where(attention_mask, positions, -1).amax(1)
            return features[torch.arange(len(features), device=features.device), last]
        score = (
            self.query(features).squeeze(-1).float() if self.query else attention_mask.float() * 0
        )
        weight = score.masked_fill(~attention_mask, -torch.inf).softmax(dim=1)
        # A product with 0 would let an absent token that is infinite through.
        token_ids = features.float().masked_fill(~attention_mask[..., None], 0.0)
        return torch.einsum("swd,sw->sd", token_ids, weight).to(features.dtype)
