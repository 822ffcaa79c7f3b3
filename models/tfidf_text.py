"""Reports as TF-IDF, turned into as many numbers as are asked for: a tower that stands still."""

from collections.abc import Iterable

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import ArrayLike
from torch import Tensor, nn

from cinelex.models.contracts import TextEncoder
from cinelex.models.shapes import Studies, TokenFeatures, TokenIds, TokenMask


class TfidfText(TextEncoder):
    """Rows of (1 + ln count) x (ln((1 + texts) / (1 + texts with it)) + 1), of length 1, centred.

    What is counted are terms, which several tokens may mean. The rows are turned to the directions
    in which those of the training reports differ most, which costs nothing where there are no more
    reports than directions. On a few hundred pairs a target that does not move is better than one
    that is learned: docs/why/log.md. Before `fit` every report is 0.

    Source: Deerwester et al. 1990, "Indexing by latent semantic analysis", JASIS 41(6).
    """

    directions: Tensor
    """A row a token."""
    term: Tensor
    """Of each token, by its number."""
    idf: Tensor
    """Of each token's term; 0 where it counts for nothing."""
    mean: Tensor
    """Of the training reports."""

    def __init__(self, *, width: int, vocab: int, trained: bool = False) -> None:
        """Make room for what `fit` finds.

        Args:
            width: Directions that are kept.
            vocab: Tokens that the tokenizer knows.
            trained: Whether the directions go on learning with the rest of the model.
        """
        super().__init__()
        self.width = width
        if trained:
            self.directions = nn.Parameter(torch.zeros(vocab, width))
        else:
            self.register_buffer("directions", torch.zeros(vocab, width))
        self.register_buffer("term", torch.arange(vocab))
        self.register_buffer("idf", torch.zeros(vocab))
        self.register_buffer("mean", torch.zeros(width))

    @torch.no_grad()
    def fit(self, texts: Iterable[ArrayLike], terms: Int[np.ndarray, " vocab"]) -> None:
        """Count the terms of the training reports, and find how these differ.

        Terms that stand in every report, such as bos and eos, count for nothing.

        Args:
            texts: Tokens of each training report.
            terms: The term of each token.
        """
        from scipy.sparse import csr_matrix  # here, because these take a second
        from sklearn.utils.extmath import randomized_svd

        found = [np.unique(terms[np.asarray(text)], return_counts=True) for text in texts]
        ends = np.cumsum([0, *(len(own) for own, _ in found)])
        columns = np.concatenate([own for own, _ in found])
        reports = len(found)
        with_it = np.bincount(columns, minlength=int(terms.max()) + 1)
        idf = np.where(with_it == reports, 0.0, np.log((1 + reports) / (1 + with_it)) + 1)
        values = (1 + np.log(np.concatenate([count for _, count in found]))) * idf[columns]
        lengths = np.sqrt(np.add.reduceat(values**2, ends[:-1])).clip(1e-12)
        values /= np.repeat(lengths, np.diff(ends))
        rows = csr_matrix((values, columns, ends), shape=(reports, len(with_it)))
        kept = min(self.width, *rows.shape)
        _, _, directions = randomized_svd(rows, n_components=kept, random_state=0)
        self.term.copy_(torch.from_numpy(terms))
        self.idf.copy_(torch.from_numpy(idf[terms]))
        self.directions.zero_()
        self.directions[:, :kept] = torch.from_numpy(directions.T[terms]).float()
        self.mean.zero_()
        self.mean[:kept] = torch.from_numpy(np.asarray(rows.mean(0)).ravel() @ directions.T)

    def forward(self, token_ids: TokenIds, attention_mask: TokenMask) -> TokenFeatures:
        """Return what each token adds to its report's row."""
        return self._weights(token_ids, attention_mask)[..., None] * self.directions[token_ids]

    def pool(self, features: TokenFeatures, attention_mask: TokenMask) -> Studies:
        """Return the sum over the tokens, minus the mean of the training reports."""
        return features.masked_fill(~attention_mask[..., None], 0.0).sum(1) - self.mean

    def _weights(
        self, token_ids: TokenIds, attention_mask: TokenMask
    ) -> Float[Tensor, "study token"]:
        """Share what a term weighs in a report among the tokens that mean it."""
        term = self.term[token_ids].masked_fill(~attention_mask, -1)
        count = (term[:, :, None] == term[:, None, :]).sum(2).float()
        weight = (1 + count.log()) * self.idf[token_ids].masked_fill(~attention_mask, 0.0)
        # a term of n tokens stands n times in this sum of squares
        length = (weight**2 / count).sum(1, keepdim=True).sqrt().clamp(min=1e-12)
        return weight / count / length
