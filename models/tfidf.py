"""A teacher that needs no training: captions are alike that share tokens, rare ones above all."""

import math
from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from cinelex.models.shapes import TokenIds, TokenMask


class TfidfRows(nn.Module):
    """From tokens to unit rows of (1 + ln count) x (ln((1 + texts) / (1 + texts with it)) + 1).

    Tokens that stand in every text, such as bos and eos, count for nothing.
    """

    weight: Tensor

    def __init__(self, texts: Iterable[Sequence[int]], *, vocab: int) -> None:
        """Count in how many texts each token stands.

        Args:
            texts: Tokens of each training caption.
            vocab: Tokens that the tokenizer knows.
        """
        super().__init__()
        found = torch.zeros(vocab)
        count = 0
        for text in texts:
            found[torch.as_tensor(text).unique()] += 1
            count += 1
        weight = math.log(1 + count) - torch.log(1 + found) + 1
        self.register_buffer("weight", weight.masked_fill(found == count, 0.0))

    @torch.no_grad()
    def forward(
        self, token_ids: TokenIds, attention_mask: TokenMask
    ) -> Float[Tensor, "study vocab"]:
        """Return one unit row a caption; zero where no token of it counts."""
        counts = self.weight.new_zeros(len(token_ids), len(self.weight))
        counts.scatter_add_(1, token_ids, attention_mask.to(counts.dtype))
        rows = torch.where(counts > 0, 1 + counts.clamp(min=1).log(), 0.0) * self.weight
        return F.normalize(rows, dim=1)
