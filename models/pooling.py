"""From the features of words to one vector a report."""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

PoolingKind = Literal["mean", "attention", "first"]


class WordPooling(nn.Module):
    """Pool the words that are present; absent ones have no say."""

    def __init__(self, *, width: int, kind: PoolingKind) -> None:
        """Make the query, if there is one.

        Args:
            width: Numbers a word and a report.
            kind: Mean of the words, a mean weighted by one learned query, or the first word alone.
        """
        super().__init__()
        self.kind = kind
        self.query = nn.Linear(width, 1, bias=False) if kind == "attention" else None

    def forward(
        self,
        features: Float[Tensor, "study word width"],
        present: Bool[Tensor, "study word"],
    ) -> Float[Tensor, "study width"]:
        """Pool, with softmax and sums in fp32."""
        if self.kind == "first":
            return features[:, 0]
        score = self.query(features).squeeze(-1).float() if self.query else present.float() * 0
        weight = score.masked_fill(~present, -torch.inf).softmax(dim=1)
        # A product with 0 would let an absent word that is infinite through.
        words = features.float().masked_fill(~present[..., None], 0.0)
        return torch.einsum("swd,sw->sd", words, weight).to(features.dtype)
