"""A small text encoder that needs nothing from outside."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from cinelex.models.blocks import Block, start_small
from cinelex.models.contracts import TextEncoder
from cinelex.models.own_weights import take_weights
from cinelex.models.pooling import PoolingKind, TokenPooling
from cinelex.models.shapes import Studies, TokenFeatures, TokenIds, TokenMask

WORD_STD = 0.3
"""Spread of a fresh token or position. At 0.02 an optimizer that moves each number by its learning
rate needs hundreds of steps before the reports differ, and the videos wait for them."""


class TextTransformer(TextEncoder):
    """Let all tokens of a report attend to each other.

    Source: Devlin et al. 2019, BERT, arXiv:1810.04805, section 3; pre-norm as in Xiong et al.
    2020, arXiv:2002.04745.
    """

    def __init__(
        self,
        *,
        width: int,
        vocab: int,
        max_tokens: int,
        depth: int = 2,
        heads: int = 4,
        mlp_ratio: float = 4.0,
        pooling: PoolingKind = "attention",
        pretrained: str | None = None,
        kept: Mapping[str, Any] | None = None,
    ) -> None:
        """Make the token embeddings, the positions and the blocks.

        Args:
            width: Embedding dimension of a token; a multiple of ``heads``.
            vocab: Tokens that the tokenizer knows.
            max_tokens: Tokens of the longest report.
            depth: Transformer blocks.
            heads: Attention heads a block.
            mlp_ratio: Hidden width of the feed-forward part, in widths.
            pooling: How the tokens become a report.
            pretrained: As of the video encoder; its tokens must be those of the same tokenizer.
            kept: What a run kept of it; a checkpoint has its weights then.
        """
        super().__init__()
        self.width = width
        self.embed = nn.Embedding(vocab, width)
        self.positions = nn.Embedding(max_tokens, width)
        self.blocks = nn.ModuleList(
            Block(width=width, heads=heads, mlp_ratio=mlp_ratio) for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width)
        self.pooling = TokenPooling(width=width, kind=pooling)
        start_small(self)
        for vectors in (self.embed, self.positions):
            nn.init.normal_(vectors.weight, std=WORD_STD)
        take_weights(self, pretrained, kept)

    def forward(self, token_ids: TokenIds, attention_mask: TokenMask) -> TokenFeatures:
        """Return the features of each token, which no padding has touched."""
        positions = torch.arange(token_ids.shape[1], device=token_ids.device)
        features = self.embed(token_ids) + self.positions(positions)
        for block in self.blocks:
            features = block(features, attention_mask)
        return self.norm(features)

    def pool(self, features: TokenFeatures, attention_mask: TokenMask) -> Studies:
        """Return one vector a report."""
        return self.pooling(features, attention_mask)
