"""What a random ranking scores: closed forms, or the exact expectation by summation.

A query has R positives in a gallery of M items, and every order of the gallery is as likely.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True)
class RandomRanking:
    """The expectations of one query under a random order of its gallery.

    Raises:
        ValueError: unless 1 <= positives <= gallery.
    """

    gallery: int
    """Items that are ranked, M."""
    positives: int = 1
    """Items among them that belong to the query, R."""

    def __post_init__(self) -> None:
        if not 1 <= self.positives <= self.gallery:
            raise ValueError(f"{self.positives} positives in a gallery of {self.gallery}")

    def beyond(self) -> Float[np.ndarray, " rank"]:
        """Return P(the first positive stands beyond rank r) for r = 1 ... M.

        It is C(M-r, R) / C(M, R), as a running product.
        """
        left = self.gallery - np.arange(self.gallery, dtype=np.float64)
        return np.asarray(np.cumprod(np.maximum(left - self.positives, 0.0) / left))

    def first_rank(self) -> Float[np.ndarray, " rank"]:
        """Return P(the first positive stands at rank r) for r = 1 ... M."""
        beyond = self.beyond()
        return np.asarray(np.concatenate([[1.0], beyond[:-1]]) - beyond)

    def recall_at(self, k: int) -> float:
        """Return P(a positive is among the first k): 1 - C(M-R, K) / C(M, K); 1 from K = M-R+1."""
        if k > self.gallery - self.positives:
            return 1.0
        return 1.0 - math.comb(self.gallery - self.positives, k) / math.comb(self.gallery, k)

    def reciprocal_rank(self) -> float:
        """Return the expected reciprocal rank of the first positive."""
        return float((self.first_rank() / _ranks(self.gallery)).sum())

    def rank(self) -> float:
        """Return the expected rank of the first positive, from 1: (M+1) / (R+1)."""
        return (self.gallery + 1) / (self.positives + 1)

    def ndcg(self) -> float:
        """Return the expected NDCG over the whole ranking, relevance 0 or 1.

        Every positive is as likely at every rank, so the expected gain is R times the mean
        discount.
        """
        discount = 1 / np.log2(1 + _ranks(self.gallery))
        return float(self.positives * discount.mean() / discount[: self.positives].sum())

    def average_precision(self) -> float:
        """Return the expected average precision: [H_M + (R-1)/(M-1) (M - H_M)] / M.

        Source: Bestgen 2015, "Exact expected average precision of the random baseline".
        """
        harmonic = float((1 / _ranks(self.gallery)).sum())
        others = (self.positives - 1) / max(1, self.gallery - 1)
        return (harmonic + others * (self.gallery - harmonic)) / self.gallery


def median_rank_chance(gallery: int, positives: Int[np.ndarray, " query"]) -> float:
    """Return the median rank of the first positive over many random rankings of all queries.

    The queries' distributions are mixed; where exactly half lies at or before a rank, it is
    averaged with the next one that occurs, as numpy's median does. With one positive: (M+1)/2.

    Raises:
        ValueError: if there is no query.
    """
    if len(positives) == 0:
        raise ValueError("no queries")
    kinds, queries = np.unique(positives, return_counts=True)
    beyond = np.zeros(gallery)
    for kind, count in zip(kinds.tolist(), queries.tolist(), strict=True):
        beyond += RandomRanking(gallery, kind).beyond() * (count / len(positives))
    lower = int(np.argmax(beyond <= 0.5 + 1e-9)) + 1
    upper = int(np.argmax(beyond < 0.5 - 1e-9)) + 1
    return (lower + upper) / 2


def _ranks(count: int) -> Float[np.ndarray, " rank"]:
    return np.arange(1, count + 1, dtype=np.float64)
