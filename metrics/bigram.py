"""What a captioner that sees nothing but the token before would cost."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np


@dataclass(frozen=True)
class Bigram:
    """Counts of tokens and of pairs of neighbours in training texts, smoothed.

    p(next | token) = (count(token, next) + p(next)) / (count(token) + 1), with p(next) the share of
    a token among all that follow another, each counted once more than it was seen. Of all tokens
    that were never seen next, one takes about one part of count(token) + 1.

    Source: MacKay & Peto 1995, A hierarchical Dirichlet language model, equation 28, at a strength
    of 1.
    """

    pairs: Counter[tuple[int, int]]
    """How often a token follows another."""
    before: Counter[int]
    """How often something follows a token."""
    after: Counter[int]
    """How often a token follows anything."""
    vocabulary: int
    """Tokens that there are."""

    @classmethod
    def of(cls, texts: Iterable[Iterable[int]], *, vocabulary: int) -> "Bigram":
        """Count the neighbours in texts."""
        pairs = Counter(pair for token_ids in texts for pair in pairwise(token_ids))
        before, after = Counter[int](), Counter[int]()
        for (token, following), count in pairs.items():
            before[token] += count
            after[following] += count
        return cls(pairs, before, after, vocabulary)

    def cost(self, texts: Iterable[Iterable[int]]) -> float:
        """Return the cross-entropy, in nats per token, of all tokens but the first of each text.

        Raises:
            ValueError: No text has two tokens.
        """
        costs = [self._cost(*pair) for token_ids in texts for pair in pairwise(token_ids)]
        if not costs:
            raise ValueError("no text has two tokens, so that none follows another")
        return float(np.mean(costs))

    @cached_property
    def _followers(self) -> int:
        return self.after.total()

    def _cost(self, token: int, following: int) -> float:
        share = (self.after[following] + 1) / (self._followers + self.vocabulary)
        return -float(np.log((self.pairs[token, following] + share) / (self.before[token] + 1)))
