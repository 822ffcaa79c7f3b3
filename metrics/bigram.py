"""What a captioner that sees nothing but the word before would cost."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np


@dataclass(frozen=True)
class Bigram:
    """Counts of words and of pairs of neighbours in training texts, smoothed.

    p(next | word) = (count(word, next) + p(next)) / (count(word) + 1), with p(next) the share of a
    word among all that follow another, each counted once more than it was seen. Of all words that
    were never seen next, one takes about one part of count(word) + 1.

    Source: MacKay & Peto 1995, A hierarchical Dirichlet language model, equation 28, at a strength
    of 1.
    """

    pairs: Counter[tuple[int, int]]
    """How often a word follows another."""
    before: Counter[int]
    """How often something follows a word."""
    after: Counter[int]
    """How often a word follows anything."""
    vocabulary: int
    """Words that there are."""

    @classmethod
    def of(cls, texts: Iterable[Iterable[int]], *, vocabulary: int) -> "Bigram":
        """Count the neighbours in texts."""
        pairs = Counter(pair for token_ids in texts for pair in pairwise(token_ids))
        before, after = Counter[int](), Counter[int]()
        for (word, following), count in pairs.items():
            before[word] += count
            after[following] += count
        return cls(pairs, before, after, vocabulary)

    def cost(self, texts: Iterable[Iterable[int]]) -> float:
        """Return the cross-entropy, in nats a word, of all words but the first of each text.

        Raises:
            ValueError: No text has two words.
        """
        costs = [self._cost(*pair) for token_ids in texts for pair in pairwise(token_ids)]
        if not costs:
            raise ValueError("no text has two words, so that none follows another")
        return float(np.mean(costs))

    @cached_property
    def _followers(self) -> int:
        return self.after.total()

    def _cost(self, word: int, following: int) -> float:
        share = (self.after[following] + 1) / (self._followers + self.vocabulary)
        return -float(np.log((self.pairs[word, following] + share) / (self.before[word] + 1)))
