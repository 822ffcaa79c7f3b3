"""Any text encoder of transformers."""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import nn

from cinelex.core.errors import UserError
from cinelex.models.contracts import PretrainedText
from cinelex.models.foreign import make_repeatable
from cinelex.models.hub import described, load_pretrained, read_tensor, rebuilt
from cinelex.models.pooling import PoolingKind, TokenPooling
from cinelex.models.shapes import Studies, TokenFeatures, TokenIds, TokenMask, TrunkFeatures

TEXTUAL = "text_projection.weight"
"""The matrix of a CLIP from its text tower into the space that it shares with images."""


class HuggingFaceText(PretrainedText):
    """A pretrained text encoder, such as PubMedBERT; it needs the tokenizer it was trained with.

    Source: Gu et al. 2021, PubMedBERT, arXiv:2007.15779 (the default).
    """

    def __init__(
        self,
        *,
        width: int,
        vocab: int,
        max_tokens: int,
        name: str = "microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract-fulltext",
        pooling: PoolingKind = "mean",
        output: Literal["tokens", "embedding"] = "tokens",
        kept: Mapping[str, Any] | None = None,
    ) -> None:
        """Load the encoder.

        Args:
            width: Embedding dimension of a token, to which the encoder's own is projected.
            vocab: Tokens that the tokenizer knows.
            max_tokens: Tokens of the longest report.
            name: A local folder, or a hub name that is in the cache or can be downloaded; of two
                towers, such as CLIP's, the one for text is taken.
            pooling: How the tokens become a report; CLIP's text tower was trained with ``last``.
            output: The encoder's own features, or behind them the matrix into the space that it
                shares with an image tower.
            kept: What a run kept of it; nothing is loaded then: a checkpoint has its weights.

        Raises:
            UserError: The encoder cannot be had, is no plain encoder, or does not fit the
                tokenizer or the length of the reports.
        """
        super().__init__()
        # Here, because it takes seconds.
        from transformers import AutoModel

        found: Mapping[str, Any] = kept or {}
        self.trunk = "encoder"
        if kept is None:
            self.encoder, self.arrival = load_pretrained(AutoModel, name)
        else:
            self.encoder = rebuilt(AutoModel, kept["config"])
        embedding = None
        if output == "embedding" and self.arrival is not None:
            embedding = read_tensor(name, TEXTUAL)
            self.arrival = self.arrival.also(TEXTUAL, "embedding.weight", embedding)
        shape = found.get("embedding") if embedding is None else list(embedding.shape)
        self.kept = {"config": described(self.encoder), "embedding": shape}
        config = self.encoder.config
        check_encoder(self.encoder, name=name, vocab=vocab, max_tokens=max_tokens)
        if getattr(self.encoder, "pooler", None) is not None:
            # Nobody reads it, so it would be a parameter without a gradient.
            self.encoder.pooler = None  # type: ignore[assignment]
        make_repeatable(self.encoder, trained=True)
        native: int = config.hidden_size  # type: ignore[union-attr, assignment]
        if shape is not None:
            # in the trunk, because it came with it
            self.encoder.embedding = nn.Linear(native, shape[0], bias=False)
            native = shape[0]
        if embedding is not None:
            with torch.no_grad():
                self.encoder.embedding.weight.copy_(embedding)  # type: ignore[union-attr, operator]
        self.embeds = shape is not None
        self.width = width
        self.project = nn.Identity() if native == width else nn.Linear(native, width)
        self.pooling = TokenPooling(width=width, kind=pooling)

    def forward(self, token_ids: TokenIds, attention_mask: TokenMask) -> TokenFeatures:
        """Return the features of each token."""
        return self.tokens(self.features(token_ids, attention_mask))

    def features(self, token_ids: TokenIds, attention_mask: TokenMask) -> TrunkFeatures:
        """Return the last layer of the encoder."""
        out = self.encoder(input_ids=token_ids, attention_mask=attention_mask.long())
        features: TrunkFeatures = out.last_hidden_state
        return self.encoder.embedding(features) if self.embeds else features  # type: ignore[operator]

    def tokens(self, features: TrunkFeatures) -> TokenFeatures:
        """Project them where the width is another."""
        return self.project(features)

    def pool(self, features: TokenFeatures, attention_mask: TokenMask) -> Studies:
        """Return one vector a report."""
        return self.pooling(features, attention_mask)


def check_encoder(encoder: nn.Module, *, name: str, vocab: int, max_tokens: int) -> None:
    """Refuse an encoder that does not fit the tokenizer or the reports.

    Raises:
        UserError: What does not fit, and what to change.
    """
    config = getattr(encoder, "config", None)
    if getattr(config, "is_encoder_decoder", False):
        raise UserError(f"{name} is an encoder and decoder; choose an encoder such as BERT")
    # not every encoder states these: without absolute positions there is no longest report
    known = getattr(config, "vocab_size", vocab)
    longest = getattr(config, "max_position_embeddings", max_tokens) - _first_position(encoder)
    if vocab > known:
        raise UserError(
            f"the tokenizer has {vocab} tokens, {name} knows {known}; use the tokenizer of {name}"
        )
    if max_tokens > longest:
        raise UserError(
            f"{name} reads {longest} tokens, not {max_tokens}; set tokenizer.max_tokens={longest}"
        )


def _first_position(encoder: nn.Module) -> int:
    """Return the rows of the table of positions that no token uses.

    RoBERTa and its kin give padding a position, and count from the one after it.
    """
    for name, part in encoder.named_modules():
        padded = isinstance(part, nn.Embedding) and part.padding_idx is not None
        if name.endswith("position_embeddings") and padded:
            return int(part.padding_idx) + 1
    return 0
