"""Corpus BLEU from counts that add up over studies."""

from functools import cache
from typing import Any, Final

import numpy as np
from jaxtyping import Float

ORDERS: Final = 4
UNICODE: Final = (
    "corpus BLEU, sacrebleu nrefs:1|case:lc|eff:no|tok:13a|smooth:exp after blanks around letters "
    "of unspaced scripts and signs beyond ASCII, in [0, 1]"
)
VARIANT: Final = "corpus BLEU, sacrebleu nrefs:1|case:lc|eff:no|tok:13a|smooth:exp, in [0, 1]"


@cache
def scorer() -> Any:
    """Return the sacrebleu scorer that counts n-grams; one sentence at a time, hence `eff`."""
    from sacrebleu.metrics.bleu import BLEU  # here, because it takes a second

    return BLEU(lowercase=True, tokenize="13a", effective_order=True, max_ngram_order=ORDERS)


def bleu_counts(reference: str, candidate: str) -> Float[np.ndarray, " count"]:
    """Return what a pair adds to corpus BLEU.

    The ten counts are the candidate's length, the reference's length, and for n from 1 to 4 the
    matched n-grams, then the candidate's n-grams.
    """
    score = scorer().sentence_score(candidate, [reference])
    return np.array([score.sys_len, score.ref_len, *score.counts, *score.totals], dtype=np.float64)


def bleu(counts: Float[np.ndarray, "*batch count"], *, order: int) -> Float[np.ndarray, "*batch"]:
    """Return BLEU over n-grams up to `order`, in [0, 1], of summed counts.

    Geometric mean of the n-gram precisions times the brevity penalty. The k-th precision without
    a match counts as 1 / (2^k * n-grams), as in mteval-v13a; without any match BLEU is 0.

    Source: Papineni et al. 2002, "BLEU: a method for automatic evaluation of machine translation";
    Post 2018, arXiv:1804.08771 (the variant, tokenizer and smoothing included).
    """
    length, reference = counts[..., 0], counts[..., 1]
    matched = counts[..., 2 : 2 + order]
    total = counts[..., 2 + ORDERS : 2 + ORDERS + order]
    missed = np.cumsum(matched == 0, axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(matched == 0, 0.5**missed, matched) / total
        brevity = np.exp(np.minimum(0.0, 1 - reference / length))
        score = brevity * np.exp(np.log(precision).mean(axis=-1))
    scored = (matched > 0).any(axis=-1) & (total > 0).all(axis=-1)
    return np.asarray(np.where(scored, score, 0.0))
