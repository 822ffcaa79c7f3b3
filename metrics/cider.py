"""CIDEr-D: agreement of n-grams, weighted by how telling each is in the set of references."""

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float

from cinelex.metrics.bleu import scorer

ORDERS: Final = 4
SIGMA: Final = 6.0
UNICODE: Final = (
    "CIDEr-D, mean over studies, idf of the references, words 13a|lc after blanks around letters "
    "of unspaced scripts and signs beyond ASCII, in [0, 10]"
)
VARIANT: Final = "CIDEr-D, mean over studies, idf of the references, words 13a|lc, in [0, 10]"

_Gram = tuple[str, ...]


class _Weighted(NamedTuple):
    """The tf-idf vector of one text, by n-gram order."""

    vectors: list[dict[_Gram, float]]
    norms: list[float]
    bigrams: int


def cider_d(references: Sequence[str], candidates: Sequence[str]) -> Float[np.ndarray, " study"]:
    """Return each candidate's CIDEr-D, in [0, 10]; the corpus score is the mean.

    The document frequencies come from all references at once, so score a set whole, never in
    shards that are averaged. With one reference every weight is 0, and so is the score.

    Raises:
        ValueError: the two differ in length, or are empty.

    Source: Vedantam et al. 2015, arXiv:1411.5726, as computed by pycocoevalcap.
    """
    if len(references) != len(candidates) or not references:
        raise ValueError(
            f"as many candidates as references are needed, and at least one; found "
            f"{len(candidates)} and {len(references)}"
        )
    truths = [_grams(words(text)) for text in references]
    frequency = Counter(gram for grams in truths for gram in grams)
    idf = {gram: float(np.log(len(truths) / count)) for gram, count in frequency.items()}
    unseen = float(np.log(len(truths)))
    scores = [
        _similarity(_weigh(truth, idf, unseen), _weigh(_grams(words(text)), idf, unseen))
        for truth, text in zip(truths, candidates, strict=True)
    ]
    return np.array(scores, dtype=np.float64)


def words(text: str) -> list[str]:
    """Return the lower-case words and signs of a text as sacrebleu's tokenizer 13a cuts them."""
    return str(scorer().tokenizer(text.lower().rstrip())).split()


def _grams(tokens: Sequence[str]) -> Counter[_Gram]:
    return Counter(
        tuple(tokens[start : start + n])
        for n in range(1, ORDERS + 1)
        for start in range(len(tokens) - n + 1)
    )


def _weigh(grams: Counter[_Gram], idf: dict[_Gram, float], unseen: float) -> _Weighted:
    vectors: list[dict[_Gram, float]] = [{} for _ in range(ORDERS)]
    for gram, count in grams.items():
        vectors[len(gram) - 1][gram] = count * idf.get(gram, unseen)
    norms = [float(np.sqrt(sum(weight**2 for weight in vector.values()))) for vector in vectors]
    bigrams = sum(count for gram, count in grams.items() if len(gram) == 2)
    return _Weighted(vectors, norms, bigrams)


def _similarity(truth: _Weighted, claim: _Weighted) -> float:
    """Return ten times the mean over orders of the clipped cosine, less for unequal lengths."""
    cosines = [
        sum(min(weight, ours.get(gram, 0.0)) * ours.get(gram, 0.0) for gram, weight in own.items())
        / (norm * our_norm or 1.0)
        for ours, our_norm, own, norm in zip(
            truth.vectors, truth.norms, claim.vectors, claim.norms, strict=True
        )
    ]
    penalty = np.exp(-((claim.bigrams - truth.bigrams) ** 2) / (2 * SIGMA**2))
    return float(10 * penalty * np.mean(cosines))
