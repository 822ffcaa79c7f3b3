"""Reports as TF-IDF beside what a pretrained sentence encoder makes of them; both stand still."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from cinelex.core.errors import UserError
from cinelex.models.contracts import PretrainedText
from cinelex.models.embedding import unit_rows
from cinelex.models.foreign import make_repeatable
from cinelex.models.hub import described, load_pretrained, rebuilt
from cinelex.models.huggingface_text import check_encoder
from cinelex.models.shapes import Studies, TokenFeatures, TokenIds, TokenMask, TrunkFeatures
from cinelex.models.tfidf_text import TfidfText

MAX_CENTRED = 128
"""Training reports, evenly spaced, whose mean is taken off the sentence encoder's rows."""
AT_ONCE = 32


class TermsAndSentences(PretrainedText):
    """Unit rows of terms and unit rows of sentences, side by side: which words, and what they mean.

    On a few hundred pairs a line to both found more than a line to either, and than towers that
    were trained (docs/why/log.md). Before `fit` the terms are silent.
    """

    sentence_mean: Tensor
    """Of the training reports, as the sentence encoder pools them."""

    def __init__(
        self,
        *,
        width: int,
        vocab: int,
        max_tokens: int,
        name: str,
        share: float = 0.5,
        kept: Mapping[str, Any] | None = None,
    ) -> None:
        """Load the sentence encoder.

        Args:
            width: Embedding dimension of a report; terms get what the sentence encoder's own leave.
            vocab: Tokens that the tokenizer knows.
            max_tokens: Tokens of the longest report.
            name: A local folder or a hub name of a sentence encoder whose tokens are averaged.
            share: Length of the part of sentences, where that of terms is 1.
            kept: What a run kept of it; nothing is loaded then: a checkpoint has its weights.

        Raises:
            UserError: The encoder cannot be had or does not fit, or the width leaves no room.
        """
        super().__init__()
        from transformers import AutoModel  # here, because it takes seconds

        if kept is None:
            encoder, self.arrival = load_pretrained(AutoModel, name)
        else:
            encoder = rebuilt(AutoModel, kept["config"])
        check_encoder(encoder, name=name, vocab=vocab, max_tokens=max_tokens)
        if getattr(encoder, "pooler", None) is not None:
            encoder.pooler = None  # type: ignore[assignment]
        make_repeatable(encoder, trained=True)
        self.native: int = encoder.config.hidden_size  # type: ignore[union-attr, assignment]
        if width <= self.native:
            raise UserError(
                f"the sentence encoder's vectors have {self.native} dimensions: no room "
                f"for terms; set model.width and model.dim above, such as {2 * self.native}"
            )
        self.kept = {"config": described(encoder)}
        self.width, self.share, self.trunk = width, share, "both"
        terms = TfidfText(width=width - self.native, vocab=vocab)
        self.both = nn.ModuleDict({"terms": terms, "encoder": encoder}).requires_grad_(False)
        self.register_buffer("sentence_mean", torch.zeros(self.native))

    @torch.no_grad()
    def fit(self, texts: Sequence[ArrayLike], terms: Int[np.ndarray, " vocab"]) -> None:
        """Fit the terms to the training reports, and take the mean of their sentences.

        Args:
            texts: Tokens of each training report.
            terms: The term of each token.
        """
        counted = self.both["terms"]
        assert isinstance(counted, TfidfText)
        counted.fit(texts, terms)
        few = np.unique(np.linspace(0, len(texts) - 1, MAX_CENTRED).round().astype(int))
        rows = []
        for start in range(0, len(few), AT_ONCE):
            some = [torch.as_tensor(np.asarray(texts[i])) for i in few[start : start + AT_ONCE]]
            mask = pad_sequence([torch.ones_like(t) for t in some], batch_first=True) > 0
            token_ids = pad_sequence(some, batch_first=True).to(self.sentence_mean.device)
            mask = mask.to(token_ids.device)
            rows.append(_mean(self._sentences(token_ids, mask), mask))
        self.sentence_mean.copy_(torch.cat(rows).mean(0))

    def forward(self, token_ids: TokenIds, attention_mask: TokenMask) -> TokenFeatures:
        """Return what each token adds to the terms, and what the sentence encoder makes of it."""
        return self.features(token_ids, attention_mask)

    def features(self, token_ids: TokenIds, attention_mask: TokenMask) -> TrunkFeatures:
        """Return both side by side."""
        terms = self.both["terms"](token_ids, attention_mask)
        return torch.cat([terms, self._sentences(token_ids, attention_mask)], dim=-1)

    def summed(self, token_ids: TokenIds, attention_mask: TokenMask) -> TrunkFeatures:
        """Return the sum of the terms and the mean of the sentences, as if they were of a token."""
        terms, sentences = self._parts(self.features(token_ids, attention_mask))
        there = terms.masked_fill(~attention_mask[..., None], 0.0)
        return torch.cat([there.sum(1), _mean(sentences, attention_mask)], dim=-1)[:, None]

    def tokens(self, features: TrunkFeatures) -> TokenFeatures:
        """Return them as they are: nothing fresh stands behind them."""
        return features

    def pool(self, features: TokenFeatures, attention_mask: TokenMask) -> Studies:
        """Return the terms of a report, and its mean sentence, each minus the training mean."""
        terms, sentences = self._parts(features)
        counted = self.both["terms"]
        assert isinstance(counted, TfidfText)
        meant = _mean(sentences, attention_mask) - self.sentence_mean
        found = unit_rows(counted.pool(terms, attention_mask))
        return torch.cat([found, self.share * unit_rows(meant)], dim=-1)

    def _parts(
        self, features: TokenFeatures
    ) -> tuple[Float[Tensor, "study token term"], Float[Tensor, "study token number"]]:
        terms, sentences = features.split([self.width - self.native, self.native], dim=-1)
        return terms, sentences

    def _sentences(self, token_ids: TokenIds, attention_mask: TokenMask) -> TokenFeatures:
        out: TokenFeatures = self.both["encoder"](
            input_ids=token_ids, attention_mask=attention_mask.long()
        ).last_hidden_state
        return out


def _mean(features: TokenFeatures, attention_mask: TokenMask) -> Studies:
    mask = attention_mask[..., None]
    return features.float().masked_fill(~mask, 0.0).sum(1) / mask.sum(1).clamp(min=1)
